"""Images transformed and probed, within limits, in this process or in children of it."""

from vexobj_processing.encode import encoder_version
from vexobj_processing.errors import (
    ImageUnreadable,
    InvalidTransform,
    JobCrashed,
    JobFailed,
    JobTimeout,
    LimitExceeded,
    ProcessingError,
    UnsupportedImage,
)
from vexobj_processing.images import Image, transform
from vexobj_processing.keys import variant_key
from vexobj_processing.limits import DEFAULT_ENCODING, DEFAULT_LIMITS, Encoding, Limits
from vexobj_processing.negotiate import Preference, negotiate
from vexobj_processing.params import MAX_SIDE, Fit, Format, Transform, parse_transform
from vexobj_processing.pool import ImagePool, Rendered
from vexobj_processing.probe import ImageInfo, probe

__all__ = [
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
]
