"""Transform parameters, their canonical form, negotiation and keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_processing import (
    Encoding,
    Fit,
    Format,
    InvalidTransform,
    Limits,
    Transform,
    negotiate,
    parse_transform,
    variant_key,
)
from vexobj_processing.messages import read_transform, transform_message


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([], None),
        ([("fit", "cover")], None),
        ([("enlarge", "1")], None),
        ([("prefix", "w"), ("response-content-type", "x")], None),
        ([("w", "300")], Transform(width=300)),
        ([("w", "1"), ("h", "4096")], Transform(width=1, height=4096)),
        ([("w", "300"), ("fit", "inside")], Transform(width=300, fit=Fit.CONTAIN)),
        ([("h", "2"), ("fit", "FILL")], Transform(height=2, fit=Fit.FILL)),
        ([("format", "JPG")], Transform(format=Format.JPEG)),
        ([("format", "auto")], Transform()),
        ([("format", "avif"), ("quality", "100")], Transform(format=Format.AVIF, quality=100)),
        ([("quality", "1")], Transform(quality=1)),
        ([("w", "9"), ("enlarge", "1")], Transform(width=9, enlarge=True)),
        ([("w", "9"), ("enlarge", "0")], Transform(width=9)),
    ],
)
def test_parse(query: list[tuple[str, str]], expected: Transform | None) -> None:
    assert parse_transform(query) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("w", "h") for value in ("0", "4097", "4000000000", "-1")),
        *(
            (name, value)
            for name in ("w", "quality")
            for value in ("", "x", "1.5", " 1", "٣", "1e2")
        ),
        ("w", "9" * 100_000),
        ("quality", "0"),
        ("quality", "101"),
        ("fit", "crop"),
        ("fit", ""),
        ("format", "bmp"),
        ("format", ""),
        ("enlarge", "yes"),
    ],
)
def test_wrong_values_name_their_parameter(name: str, value: str) -> None:
    with pytest.raises(InvalidTransform) as caught:
        parse_transform([("w", "5"), (name, value)] if name != "w" else [(name, value)])
    assert caught.value.parameter == name
    assert caught.value.reason


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(InvalidTransform):
        parse_transform([("w", "5"), ("w", "5")])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Transform(width=5), Transform(width=5, fit=Fit.FILL)),
        (Transform(format=Format.PNG), Transform(format=Format.PNG, quality=10)),
        (Transform(format=Format.PNG), Transform(format=Format.PNG, enlarge=True)),
    ],
)
def test_canonical_form_forgets_what_does_not_matter(one: Transform, other: Transform) -> None:
    assert one.canonical() == other.canonical()


transforms = st.builds(
    Transform,
    width=st.none() | st.integers(1, 4096),
    height=st.none() | st.integers(1, 4096),
    fit=st.sampled_from(Fit),
    format=st.none() | st.sampled_from(Format),
    quality=st.none() | st.integers(1, 100),
    enlarge=st.booleans(),
)


@given(transforms)
def test_canonical_form_is_itself_a_query(transform: Transform) -> None:
    again = parse_transform(pair.split("=", 1) for pair in transform.canonical().split("&"))  # type: ignore[misc]
    assert again is not None
    assert again.canonical() == transform.canonical()


@given(transforms)
def test_transforms_survive_the_socket(transform: Transform) -> None:
    preference = (Format.AVIF, Format.JPEG)
    assert read_transform(transform_message(transform, preference)) == (transform, preference)


AVIF, WEBP, JPEG, PNG = Format.AVIF, Format.WEBP, Format.JPEG, Format.PNG
CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, (JPEG,)),
        ("", (JPEG,)),
        ("*/*", (JPEG,)),
        ("image/*", (JPEG,)),
        ("text/html", (JPEG,)),
        ("image/*;q=0", (JPEG,)),
        ("image/png", (PNG,)),
        ("image/jpeg;q=0, image/*", (PNG,)),
        ("image/png;q=1, image/*;q=0.8", (JPEG,)),
        (CHROME, (AVIF, WEBP, JPEG)),
        ("IMAGE/AVIF , */*;q=0.5", (AVIF, JPEG)),
        ("image/webp,*/*;q=0.8", (WEBP,)),
        ("image/webp", (WEBP,)),
        ("image/avif;q=0, image/webp, */*", (WEBP,)),
        ("image/avif;q=0.5, image/webp;q=0.9, */*;q=0.1", (WEBP,)),
        ("image/avif;q=0.1, */*", (JPEG,)),
        ("image/webp;q=0.1, image/jpeg", (JPEG,)),
        ("image/avif;q=0, image/webp;q=0.000, */*", (JPEG,)),
        ("image/avif, image/png", (AVIF, PNG)),
        ("image/webp;q=broken, */*;q=0.1", (JPEG,)),
        ("image/avif;q=nan, */*;q=0.1", (JPEG,)),
        (";;;,,,=", (JPEG,)),
    ],
)
def test_negotiation(accept: str | None, expected: tuple[Format, ...]) -> None:
    assert negotiate(accept) == expected


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["image/avif", "image/webp", "image/*", "image/jpeg", "image/png", "*/*", "a/b"]
            ),
            st.sampled_from(["", ";q=0", ";q=0.3", ";q=1", ";v=b3;q=0.7"]),
        )
    )
)
def test_every_header_means_one_of_few_things(items: list[tuple[str, str]]) -> None:
    preference = negotiate(",".join(name + weight for name, weight in items))
    assert preference in {
        (AVIF, WEBP, JPEG),
        (AVIF, WEBP, PNG),
        (AVIF, JPEG),
        (AVIF, PNG),
        (WEBP,),
        (JPEG,),
        (PNG,),
    }


def test_key_changes_with_everything_that_changes_bytes() -> None:
    base = variant_key(b"a", Transform(width=5), (JPEG,))
    keys = {
        base,
        variant_key(b"b", Transform(width=5), (JPEG,)),
        variant_key(b"a", Transform(width=6), (JPEG,)),
        variant_key(b"a", Transform(width=5), (WEBP,)),
        variant_key(b"a", Transform(width=5), (JPEG,), encoding=Encoding(jpeg_quality=80)),
        variant_key(b"a", Transform(width=5), (JPEG,), limits=Limits(max_result_side=100)),
    }
    assert len(keys) == 6
    assert len(base) == 64
    assert base == variant_key(b"a", Transform(width=5), (JPEG,))


def test_an_explicit_format_has_one_key_for_all_clients() -> None:
    asked = Transform(width=5, format=WEBP)
    assert variant_key(b"a", asked, (JPEG,)) == variant_key(b"a", asked, (AVIF, WEBP, JPEG))
