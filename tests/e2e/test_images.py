"""A photo put by an application, opened by a browser at another size and in another format."""

import io
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from PIL import Image

from support.endpoint import Endpoint
from support.photos import COFFEE, ROCKET
from support.tools import need

ACCEPTS = {
    "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8": "AVIF",
    "image/webp,image/apng,*/*;q=0.8": "WEBP",
    "image/avif;q=0,image/webp;q=0,*/*": "JPEG",
    "*/*": "JPEG",
}


@pytest.fixture
def photo(endpoint: Endpoint, bucket: str) -> str:
    """The path of a public photo on the S3 API."""
    endpoint.boto3().put_object(
        Bucket=bucket,
        Key="photo.jpg",
        Body=ROCKET.read_bytes(),
        ContentType="image/jpeg",
        ACL="public-read",
    )
    return f"{endpoint.url}/{bucket}/photo.jpg"


@pytest.mark.parametrize("accept", ACCEPTS)
def test_negotiated_by_accept(photo: str, accept: str) -> None:
    answer = httpx.get(f"{photo}?w=300&h=200&format=auto", headers={"accept": accept})
    assert answer.status_code == 200, answer.text
    image = Image.open(io.BytesIO(answer.content))
    assert (image.format, image.size) == (ACCEPTS[accept], (300, 200))
    assert answer.headers["content-type"] == f"image/{ACCEPTS[accept].lower()}"
    assert "accept" in answer.headers["vary"].lower()
    again = httpx.get(
        f"{photo}?w=300&h=200&format=auto",
        headers={"accept": accept, "if-none-match": answer.headers["etag"]},
    )
    assert (again.status_code, again.content) == (304, b"")


def test_both_apis_give_the_same_variant(endpoint: Endpoint, bucket: str, photo: str) -> None:
    query = urlencode({"w": 200, "format": "webp", "quality": 60})
    by_s3 = httpx.get(f"{photo}?{query}")
    native = httpx.get(
        f"{endpoint.url}/v1/objects/{bucket}/photo.jpg?{query}",
        headers={"authorization": f"Bearer {endpoint.secret_access_key}"},
    )
    assert (by_s3.status_code, native.status_code) == (200, 200)
    assert by_s3.content == native.content
    assert by_s3.headers["etag"] == native.headers["etag"]


def test_alpha_is_never_lost(endpoint: Endpoint, bucket: str) -> None:
    picture = Image.open(COFFEE).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    endpoint.boto3().put_object(
        Bucket=bucket, Key="a.png", Body=buffer.getvalue(), ContentType="image/png",
        ACL="public-read",
    )  # fmt: skip
    for accept in ACCEPTS:
        answer = httpx.get(
            f"{endpoint.url}/{bucket}/a.png?w=100&format=auto", headers={"accept": accept}
        )
        image = Image.open(io.BytesIO(answer.content)).convert("RGBA")
        assert image.getchannel("A").getextrema() != (255, 255), accept


@pytest.mark.parametrize(
    "query",
    ["w=4000000000", "w=0", "w=-1", "w=abc", "quality=0", "quality=101", "fit=bogus", "format=bmp"],
)
def test_bad_parameters_are_told(photo: str, query: str) -> None:
    answer = httpx.get(f"{photo}?w=100&{query}" if query[0] != "w" else f"{photo}?{query}")
    assert answer.status_code == 400
    assert "Traceback" not in answer.text
    assert query.split("=", maxsplit=1)[0] in answer.text


def test_a_browser_shows_it(photo: str, tmp_path: Path) -> None:
    chromium = need("chromium")
    shot = tmp_path / "shot.png"
    subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=300,200",
            f"--screenshot={shot}", f"{photo}?w=300&h=200&format=auto",
        ],
        check=True, timeout=90, capture_output=True,
    )  # fmt: skip
    shown = Image.open(shot).convert("L").resize((30, 20))
    wanted = Image.open(ROCKET).convert("L")
    wanted = wanted.resize((300, round(300 * wanted.height / wanted.width)))
    top = (wanted.height - 200) // 2
    wanted = wanted.crop((0, top, 300, top + 200)).resize((30, 20))
    pairs = zip(shown.tobytes(), wanted.tobytes(), strict=True)
    assert sum(abs(a - b) for a, b in pairs) / 600 < 12
