"""What is said about variants: how long they keep, when they are the same, who may have them."""

from collections.abc import Mapping
from io import BytesIO

import httpx
import pytest
from PIL import Image

from vexobj_server.testing import RunningServer

PATHS = ("/v1/objects/{}/photo", "/{}/photo")
QUERY = "?w=120&format=auto"
AVIF = {"accept": "image/avif"}


def picture(seed: int = 0) -> bytes:
    buffer = BytesIO()
    Image.linear_gradient("L").rotate(seed).resize((400, 300)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def photo(api: httpx.Client, bucket: str) -> str:
    put(api, bucket)
    return bucket


def put(
    api: httpx.Client, bucket: str, seed: int = 0, headers: Mapping[str, str] | None = None
) -> None:
    sent = {"content-type": "image/jpeg", "content-disposition": "attachment", **(headers or {})}
    api.put(f"/v1/objects/{bucket}/photo", content=picture(seed), headers=sent).raise_for_status()


def computed(api: httpx.Client) -> str:
    lines = api.get("/metrics").text.splitlines()
    return next(line for line in lines if line.startswith("vexobj_variants_computed_total "))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("condition", ["if-none-match", "if-modified-since"])
def test_what_is_unchanged_is_told_as_the_whole_was(
    server: RunningServer, api: httpx.Client, photo: str, path: str, condition: str
) -> None:
    api.patch(f"/v1/buckets/{photo}", json={"public": True})
    url = server.url + path.format(photo) + QUERY
    whole = httpx.get(url, headers=AVIF)
    validators = {
        "if-none-match": whole.headers["etag"],
        "if-modified-since": whole.headers["last-modified"],
    }
    unchanged = httpx.get(url, headers={**AVIF, condition: validators[condition]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    for name in ("etag", "last-modified", "cache-control", "vary", "access-control-allow-origin"):
        assert unchanged.headers.get(name) == whole.headers.get(name), name
    # A cache would put these in the place of the variant's own.
    for name in ("content-type", "content-disposition", "x-vexobj-sha256"):
        assert name not in unchanged.headers


@pytest.mark.parametrize("path", PATHS)
def test_conditions_are_decided_without_rendering(
    server: RunningServer, api: httpx.Client, photo: str, path: str
) -> None:
    api.patch(f"/v1/buckets/{photo}", json={"public": True})
    url = server.url + path.format(photo) + f"?w=77&quality={len(path)}"
    modified = httpx.head(server.url + path.format(photo)).headers["last-modified"]
    before = computed(api)
    for condition, status in (
        ({"if-modified-since": modified}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-match": '"other"'}, 412),
        ({"if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412),
    ):
        assert httpx.get(url, headers=condition).status_code == status
    assert computed(api) == before
    assert httpx.get(url).status_code == 200
    assert computed(api) != before


@pytest.mark.parametrize("path", PATHS)
def test_how_long_a_variant_keeps(
    server: RunningServer, api: httpx.Client, photo: str, path: str
) -> None:
    url = server.url + path.format(photo) + QUERY
    api.patch(f"/v1/buckets/{photo}", json={"public": True})
    assert httpx.get(url).headers["cache-control"] == "public, max-age=300"
    put(api, photo, headers={"cache-control": "max-age=7"})
    assert httpx.get(url).headers["cache-control"] == "max-age=7"


def test_what_needed_a_key_is_private(api: httpx.Client, photo: str) -> None:
    answer = api.get(f"/v1/objects/{photo}/photo{QUERY}")
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("path", PATHS)
def test_a_cached_variant_is_as_private_as_its_original(
    server: RunningServer, api: httpx.Client, photo: str, path: str
) -> None:
    url = server.url + path.format(photo) + QUERY
    api.patch(f"/v1/buckets/{photo}", json={"public": True})
    etag = httpx.get(url).headers["etag"]
    assert httpx.get(url).headers["x-vexobj-cache"] == "hit"
    api.patch(f"/v1/buckets/{photo}", json={"public": False})
    for headers in ({}, {"if-none-match": etag}):
        assert httpx.get(url, headers=headers).status_code in {401, 403}


@pytest.mark.parametrize("path", PATHS)
def test_a_variant_follows_its_original(
    server: RunningServer, api: httpx.Client, photo: str, path: str
) -> None:
    url = server.url + path.format(photo) + QUERY
    api.patch(f"/v1/buckets/{photo}", json={"public": True})
    before = httpx.get(url)
    put(api, photo, seed=90)
    after = httpx.get(url, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.content != before.content
    api.delete(f"/v1/objects/{photo}/photo")
    assert httpx.get(url).status_code in {403, 404}
