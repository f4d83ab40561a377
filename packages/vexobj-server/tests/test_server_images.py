"""Variants on both APIs: chosen by Accept, named by ETags, refused with reasons."""

import asyncio
from io import BytesIO

import httpx
import pytest
from PIL import Image

from vexobj_server.testing import RunningServer

PATHS = ("/v1/objects/{}/photo", "/{}/photo", "/s3/{}/photo")


@pytest.fixture
def photo(api: httpx.Client, bucket: str) -> str:
    """A public bucket with a gradient in it."""
    image = Image.linear_gradient("L").resize((800, 600)).convert("RGB")
    buffer = BytesIO()
    image.save(buffer, "JPEG")
    api.patch(f"/v1/buckets/{bucket}", json={"public": True})
    headers = {"content-type": "image/jpeg", "cache-control": "public, max-age=60"}
    api.put(f"/v1/objects/{bucket}/photo", content=buffer.getvalue(), headers=headers)
    return bucket


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("image/avif,image/webp,*/*", "image/avif"),
        ("image/webp,*/*", "image/webp"),
        ("*/*", "image/jpeg"),
    ],
)
def test_negotiated_variants(
    server: RunningServer, photo: str, path: str, accept: str, content_type: str
) -> None:
    url = server.url + path.format(photo) + "?w=300&h=200&format=auto"
    answer = httpx.get(url, headers={"accept": accept})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == content_type
    assert "accept" in answer.headers["vary"].lower()
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert Image.open(BytesIO(answer.content)).size == (300, 200)
    again = {"accept": accept, "if-none-match": answer.headers["etag"]}
    unchanged = httpx.get(url, headers=again)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == answer.headers["etag"]
    head = httpx.head(url, headers={"accept": accept})
    assert head.headers["content-length"] == str(len(answer.content))
    part = httpx.get(url, headers={"accept": accept, "range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, answer.content[:10])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["w=4000000000", "w=0", "w=-1", "format=bmp", "w=10&fit=no"])
def test_parameters_that_mean_nothing_are_refused(
    server: RunningServer, photo: str, path: str, query: str
) -> None:
    assert httpx.get(server.url + path.format(photo) + "?" + query).status_code == 400


@pytest.mark.parametrize("path", PATHS)
def test_what_is_no_image(server: RunningServer, api: httpx.Client, photo: str, path: str) -> None:
    url = server.url + path.format(photo) + "?w=10"
    api.put(f"/v1/objects/{photo}/photo", content=b"text", headers={"content-type": "text/plain"})
    assert httpx.get(url).text == "text"
    broken = b"\xff\xd8\xff\xe0" + b"broken" * 20
    api.put(f"/v1/objects/{photo}/photo", content=broken, headers={"content-type": "image/jpeg"})
    assert httpx.get(url).status_code == 422


@pytest.mark.parametrize("path", PATHS)
def test_a_bucket_may_turn_transforms_off(
    server: RunningServer, api: httpx.Client, photo: str, path: str
) -> None:
    api.patch(f"/v1/buckets/{photo}", json={"settings": {"transforms": "off"}})
    original = httpx.get(server.url + path.format(photo))
    untouched = httpx.get(server.url + path.format(photo) + "?w=10")
    assert untouched.content == original.content


async def test_many_who_ask_at_once_get_the_same(two_workers: RunningServer) -> None:
    buffer = BytesIO()
    Image.effect_noise((600, 400), 80).save(buffer, "PNG")
    headers = {"authorization": f"Bearer {two_workers.secret_access_key}"}
    limits = httpx.Limits(max_connections=50)
    async with httpx.AsyncClient(
        base_url=two_workers.url, headers=headers, limits=limits, timeout=60
    ) as http:
        await http.post("/v1/buckets", json={"name": "crowd"})
        await http.put(
            "/v1/objects/crowd/p", content=buffer.getvalue(), headers={"content-type": "image/png"}
        )
        answers = await asyncio.gather(
            *(http.get("/v1/objects/crowd/p?w=200&format=webp") for _ in range(50))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert "\nvexobj_variants_computed_total 1.0\n" in (await http.get("/metrics")).text
