"""Clients that do a bit of everything for some time and look at every answer.

Each client owns its keys and does one thing at a time, so it knows what each of them must hold.
"""

import asyncio
import hashlib
import io
import random
import re
import time
from collections import Counter
from urllib.parse import quote

import httpx
from PIL import Image

from support.endpoint import Endpoint
from support.photos import COFFEE, HUBBLE, ROCKET
from support.s3 import S3

PART = 5 * 1024**2
KEYS = 8
PHOTOS = {path.name: path for path in (ROCKET, HUBBLE, COFFEE)}
WIDTHS = (100, 150, 300, 400)
FORMATS = ("jpeg", "webp", "avif")
MEDIA_TYPES = {"jpeg": "image/jpeg", "webp": "image/webp", "avif": "image/avif"}
_BLOCK = random.Random(0).randbytes(16 * 1024**2)


class Wrong(Exception):
    """An answer that is not what it should be."""


class Tally:
    """What all clients did, and which variant is which."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self._variants: dict[str, bytes] = {}

    def variant(self, name: str, body: bytes) -> None:
        """Raises: Wrong, when it was another before."""
        digest = hashlib.sha256(body).digest()
        if self._variants.setdefault(name, digest) != digest:
            raise Wrong(f"the variant {name} has changed")


class Client:
    """What a key must hold is remembered as (offset, length) in one random block."""

    def __init__(self, number: int, s3: S3, bucket: str, tally: Tally, seed: int) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._tally = tally
        self._random = random.Random(f"{seed}/{number}")
        self._prefix = f"client {number:02}/"
        self._keys = [f"{self._prefix}key+{n}" for n in range(KEYS)]
        self._held: dict[str, tuple[int, int]] = {}

    async def run(self, until: float) -> None:
        """Until that time of the monotonic clock. Raises: Wrong."""
        acts = {
            self._put: 16, self._get: 30, self._range: 12, self._head: 6, self._native: 6,
            self._copy: 4, self._delete: 8, self._list: 4, self._multipart: 1, self._variant: 6,
        }  # fmt: skip
        while time.monotonic() < until:
            act = self._random.choices(list(acts), list(acts.values()))[0]
            await act(self._random.choice(self._keys))
            self._tally.done[act.__name__.strip("_")] += 1

    async def check(self) -> None:
        """All keys. Raises: Wrong."""
        for key in self._keys:
            await self._get(key)
        await self._list("")

    async def _ask(self, expected: set[int], method: str, key: str, body: bytes = b"",
                   **options: dict[str, str]) -> httpx.Response:  # fmt: skip
        answer = await self._s3.request(method, self._bucket, key, body, **options)
        if answer.status_code not in expected:
            raise Wrong(f"{method} {key} {options}: {answer.status_code} {answer.text[:300]}")
        return answer

    def _some(self, sizes: tuple[int, ...]) -> tuple[int, int]:
        length = self._random.choice(sizes)
        return self._random.randrange(len(_BLOCK) - length), length

    async def _put(self, key: str) -> None:
        place = self._some((0, 300, 4_000, 16_384, 16_385, 60_000, 400_000, 2_000_000))
        body = _bytes(place)
        answer = await self._ask({200}, "PUT", key, body)
        self._held[key] = place
        _same(f"ETag of {key}", answer.headers["etag"], f'"{hashlib.md5(body).hexdigest()}"')

    async def _get(self, key: str) -> None:
        held = self._held.get(key)
        answer = await self._ask({404} if held is None else {200}, "GET", key)
        if held is not None:
            _same(key, answer.content, _bytes(held))

    async def _head(self, key: str) -> None:
        held = self._held.get(key)
        answer = await self._ask({404} if held is None else {200}, "HEAD", key)
        if held is not None:
            _same(key, answer.headers["content-length"], str(held[1]))

    async def _range(self, key: str) -> None:
        held = self._held.get(key)
        if held is None or not held[1]:
            return
        first = self._random.randrange(held[1])
        last = self._random.randrange(first, held[1])
        answer = await self._ask({206}, "GET", key, headers={"range": f"bytes={first}-{last}"})
        _same(key, answer.content, _bytes((held[0] + first, last - first + 1)))

    async def _native(self, key: str) -> None:
        """In and out by the native API."""
        place = self._some((4_000, 60_000, 400_000))
        endpoint = self._s3.endpoint
        url = f"{endpoint.url}/v1/objects/{self._bucket}/{quote(key)}"
        headers = {"authorization": f"Bearer {endpoint.secret_access_key}"}
        stored = await self._s3.http.put(url, content=_bytes(place), headers=headers)
        _same(f"PUT {url}", stored.status_code, 201)
        self._held[key] = place
        answer = await self._s3.http.get(url, headers=headers)
        _same(f"GET {url}", (answer.status_code, answer.content), (200, _bytes(place)))

    async def _copy(self, key: str) -> None:
        source = self._random.choice(self._keys)
        if source == key or source not in self._held:
            return
        header = {"x-amz-copy-source": f"/{self._bucket}/{quote(source)}"}
        await self._ask({200}, "PUT", key, headers=header)
        self._held[key] = self._held[source]

    async def _delete(self, key: str) -> None:
        await self._ask({204}, "DELETE", key)
        self._held.pop(key, None)

    async def _list(self, _key: str) -> None:
        query = {"list-type": "2", "prefix": self._prefix}
        answer = await self._ask({200}, "GET", "", query=query)
        _same("listed", re.findall(r"<Key>(.*?)</Key>", answer.text), sorted(self._held))

    async def _multipart(self, key: str) -> None:
        started = await self._ask({200}, "POST", key, query={"uploads": ""})
        (upload,) = re.findall(r"<UploadId>(.+?)</UploadId>", started.text)
        offset, length = self._some((PART + 1_000, PART + 300_000))
        rows = ""
        for number, size in ((1, PART), (2, length - PART)):
            place = (offset + PART * (number - 1), size)
            query = {"partNumber": str(number), "uploadId": upload}
            part = await self._ask({200}, "PUT", key, _bytes(place), query=query)
            etag = part.headers["etag"]
            rows += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        document = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()
        await self._ask({200}, "POST", key, document, query={"uploadId": upload})
        self._held[key] = (offset, length)

    async def _variant(self, _key: str) -> None:
        photo, width = self._random.choice(list(PHOTOS)), self._random.choice(WIDTHS)
        kind = self._random.choice(FORMATS)
        query = {"w": str(width), "format": kind}
        answer = await self._ask({200}, "GET", photo, query=query)
        _same("type", answer.headers["content-type"], MEDIA_TYPES[kind])
        with Image.open(io.BytesIO(answer.content)) as image:
            _same("width", image.width, width)
        self._tally.variant(f"{photo} {query}", answer.content)


def _bytes(place: tuple[int, int]) -> bytes:
    offset, length = place
    return _BLOCK[offset : offset + length]


def _same(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise Wrong(f"{what}: {found!r:.200}, wanted {wanted!r:.200}")


async def run_clients(
    endpoint: Endpoint, bucket: str, *, seed: int, count: int, seconds: float
) -> Counter[str]:
    """All at once, each on connections of its own; how much was done. Raises: Wrong."""
    tally, until = Tally(), time.monotonic() + seconds
    sessions = [S3(endpoint, timeout=60) for _ in range(count)]
    try:
        for name, path in PHOTOS.items():
            kind = {"content-type": "image/png" if path.suffix == ".png" else "image/jpeg"}
            await sessions[0].request("PUT", bucket, name, path.read_bytes(), headers=kind)
        clients = [Client(n, s3, bucket, tally, seed) for n, s3 in enumerate(sessions)]
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.run(until))
        for client in clients:
            await client.check()
    finally:
        for session in sessions:
            await session.__aexit__()
    return tally.done
