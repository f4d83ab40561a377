"""A 12-megapixel photo to 300x200 over HTTP, from one worker: rendered, from memory, from disk.

A rendering is asked for alone, then by two clients at once; each has a quality of its own, so that
none is known. CPU is that of all server processes together, as the kernel accounts it.
"""

import io
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from figures import Figure, figure, publish
from PIL import Image
from s3_load import LUA, bare_server, measure, write_requests

from support.endpoint import Endpoint
from support.photos import ROCKET
from support.processes import cpu_seconds
from vexobj_server.testing import RunningServer, running_server

FORMATS = ("jpeg", "webp", "avif")
QUALITIES = range(70, 82)
PATH = "/photos/photo.jpg"
CACHED = [f"{PATH}?w={width}&h=200&format=webp" for width in range(250, 300)]
"""So many that clients at once seldom ask for the same, and share no read."""
NO_MEMORY = {"VEXOBJ_CACHE_MEMORY_SIZE": "1KiB"}


def photo() -> bytes:
    """With the noise of a camera: what a photo costs is in its coefficients."""
    with Image.open(ROCKET) as image:
        large = image.convert("RGB").resize((4000, 3000), Image.Resampling.BICUBIC)
    noise = Image.effect_noise(large.size, 14).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(large, noise, 0.12).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def put(server: RunningServer) -> None:
    endpoint = Endpoint(server.url, server.access_key_id, server.secret_access_key)
    s3 = endpoint.boto3()
    s3.create_bucket(Bucket="photos")
    s3.put_object(
        Bucket="photos", Key="photo.jpg", Body=photo(), ContentType="image/jpeg", ACL="public-read"
    )
    small = [httpx.get(server.url + path, timeout=60).content for path in CACHED][-1]
    s3.put_object(Bucket="photos", Key="small", Body=small, ACL="public-read")


def rendered(server: RunningServer, image_format: str) -> list[Figure]:
    with httpx.Client(base_url=server.url, timeout=60) as http:

        def ask(quality: int) -> float:
            started = time.perf_counter()
            query = f"?w=300&h=200&format={image_format}&quality={quality}"
            answer = http.get(PATH + query)
            assert answer.status_code == 200, answer.text
            assert answer.headers["x-vexobj-cache"] == "miss"
            return (time.perf_counter() - started) * 1e3

        ask(1)
        alone, cpu = with_cpu(server, lambda: [ask(quality) for quality in QUALITIES])
        started = time.perf_counter()
        with ThreadPoolExecutor(2) as pair:
            list(pair.map(ask, range(QUALITIES.stop, QUALITIES.stop + len(QUALITIES))))
        rate = len(QUALITIES) / (time.perf_counter() - started)
    name = f"rendered to {image_format}"
    return [
        figure(f"{name}, alone", "ms", alone),
        figure(f"{name}, server CPU", "ms", [cpu / len(QUALITIES) * 1e3]),
        figure(f"{name}, by two at once", "1/s", [rate]),
    ]


def with_cpu(server: RunningServer, work: Callable[[], list[float]]) -> tuple[list[float], float]:
    before = cpu_seconds(server.pid)
    results = work()
    return results, cpu_seconds(server.pid) - before


def repeated(
    server: RunningServer,
    bare: tuple[str, int],
    title: str,
    paths: list[str],
    folder: Path,
    condition: str = "",
) -> list[Figure]:
    rest = f"host: {server.url.removeprefix('http://')}\r\n{condition}\r\n"
    script, requests = folder / "load.lua", folder / "requests"
    script.write_text(LUA)
    write_requests(requests, (f"GET {path} HTTP/1.1\r\n{rest}".encode() for path in paths))
    return measure(server, bare, title, requests, script)


def main() -> int:
    if shutil.which("wrk") is None:
        print("images: not run, wrk is not installed", file=sys.stderr)
        return 0
    rows: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_server(folder / "data", workers=1) as server, bare_server() as bare:
            put(server)
            for image_format in FORMATS:
                rows += rendered(server, image_format)
            rows += repeated(server, bare, "variant from memory", CACHED, folder)
            rows += repeated(
                server, bare, "304 of a variant", CACHED, folder, "if-none-match: *\r\n"
            )
            rows += repeated(server, bare, "public GET of as many bytes", ["/photos/small"], folder)
        with (
            running_server(folder / "data", workers=1, environment=NO_MEMORY) as server,
            bare_server() as bare,
        ):
            assert httpx.get(server.url + CACHED[0]).headers["x-vexobj-cache"] == "hit"
            rows += repeated(server, bare, "variant from disk", CACHED, folder)
    publish("images", rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
