"""The package's public face."""

import vexobj_processing


def test_all_is_sorted_and_complete() -> None:
    names = vexobj_processing.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert all(hasattr(vexobj_processing, name) for name in names)
    assert set(names) == {
        "DEFAULT_ENCODING",
        "DEFAULT_LIMITS",
        "MAX_SIDE",
        "Encoding",
        "Fit",
        "Format",
        "Image",
        "ImageInfo",
        "ImagePool",
        "ImageUnreadable",
        "InvalidTransform",
        "JobCrashed",
        "JobFailed",
        "JobTimeout",
        "LimitExceeded",
        "Limits",
        "Preference",
        "ProcessingError",
        "Rendered",
        "Transform",
        "UnsupportedImage",
        "encoder_version",
        "negotiate",
        "parse_transform",
        "probe",
        "transform",
        "variant_key",
    }
