"""Clients that write until the server dies, and remember what was acknowledged.

Each client owns its keys and does one thing at a time, so that when the server is killed every key
is either as it was last acknowledged, or as the one request in flight would have made it.
"""

import asyncio
import hashlib
import random
import re
from dataclasses import dataclass, field

import httpx

from support.endpoint import Endpoint
from support.s3 import S3

PART = 5 * 1024**2
KEYS_PER_CLIENT = 6


@dataclass(frozen=True)
class Stored:
    """What a key holds: the SHA-256 of its bytes, and its ETag."""

    sha256: bytes
    etag: str

    @classmethod
    def put(cls, body: bytes) -> "Stored":
        return cls(hashlib.sha256(body).digest(), f'"{hashlib.md5(body).hexdigest()}"')

    @classmethod
    def multipart(cls, parts: list[bytes]) -> "Stored":
        """S3's ETag of parts: the MD5 of their MD5s, and how many they were."""
        sums = b"".join(hashlib.md5(part).digest() for part in parts)
        etag = f'"{hashlib.md5(sums).hexdigest()}-{len(parts)}"'
        return cls(hashlib.sha256(b"".join(parts)).digest(), etag)


State = Stored | None


def shared_contents(seed: int) -> list[bytes]:
    """What several clients put again and again: inline, local and larger than one read."""
    source = random.Random(seed)
    return [source.randbytes(size) for size in (0, 1, 700, 16_384, 16_385, 90_000, 400_000)]


@dataclass
class Ledger:
    """What every key may hold, written outside the server."""

    acknowledged: dict[str, State] = field(default_factory=dict)
    in_flight: dict[str, State] = field(default_factory=dict)
    operations: int = 0

    def possible(self, key: str) -> set[State]:
        states = {self.acknowledged.get(key)}
        if key in self.in_flight:
            states.add(self.in_flight[key])
        return states


class Refused(Exception):
    """The living server answered something that it should not have."""


class Unavailable(Exception):
    """The server answered that it cannot say, or could not do it: the request stays in flight."""


class Client:
    """`may_fail`: an answer of 500 or 503 ends it in peace, as the end of the server does."""

    def __init__(
        self, number: int, s3: S3, bucket: str, ledger: Ledger, seed: int, *, may_fail: bool
    ) -> None:
        self._s3 = s3
        self._may_fail = may_fail
        self._bucket = bucket
        self._ledger = ledger
        self._random = random.Random(f"{seed}/{number}")
        self._shared = shared_contents(7)
        self.keys = [f"client {number:02}/key+{i}" for i in range(KEYS_PER_CLIENT)]

    async def run(self) -> None:
        """Until the server is gone."""
        acts = [
            (self._put, 8), (self._put_shared, 6), (self._copy, 4), (self._delete, 3),
            (self._multipart, 1),
        ]  # fmt: skip
        names, weights = zip(*acts, strict=True)
        while True:
            act = self._random.choices(names, weights)[0]
            try:
                await act(self._random.choice(self.keys))
            except (httpx.TransportError, Unavailable):
                return
            self._ledger.operations += 1

    async def _change(self, key: str, state: State, method: str, body: bytes = b"",
                      **options: dict[str, str]) -> httpx.Response:  # fmt: skip
        self._ledger.in_flight[key] = state
        answer = await self._request(method, key, body, **options)
        if answer.status_code not in {200, 204}:
            raise Refused(f"{method} {key}: {answer.status_code} {answer.text}")
        self._ledger.acknowledged[key] = state
        del self._ledger.in_flight[key]
        return answer

    async def _request(self, method: str, key: str, body: bytes = b"",
                       **options: dict[str, str]) -> httpx.Response:  # fmt: skip
        answer = await self._s3.request(method, self._bucket, key, body, **options)
        if self._may_fail and answer.status_code in {500, 503}:
            raise Unavailable
        return answer

    async def _put(self, key: str) -> None:
        size = self._random.choice((10, 3_000, 16_000, 20_000, 250_000, 1_200_000))
        body = self._random.randbytes(size)
        stored = Stored.put(body)
        answer = await self._change(key, stored, "PUT", body)
        if answer.headers["etag"] != stored.etag:
            raise Refused(f"PUT {key}: ETag {answer.headers['etag']}, wanted {stored.etag}")

    async def _put_shared(self, key: str) -> None:
        body = self._random.choice(self._shared)
        await self._change(key, Stored.put(body), "PUT", body)

    async def _delete(self, key: str) -> None:
        await self._change(key, None, "DELETE")

    async def _copy(self, key: str) -> None:
        source = self._random.choice(self.keys)
        state = self._ledger.acknowledged.get(source)
        if state is None or source == key:
            return
        quoted = source.replace("+", "%2B").replace(" ", "%20")
        header = {"x-amz-copy-source": f"/{self._bucket}/{quoted}"}
        await self._change(key, state, "PUT", headers=header)

    async def _multipart(self, key: str) -> None:
        started = await self._request("POST", key, query={"uploads": ""})
        found = re.search(r"<UploadId>(.+?)</UploadId>", started.text)
        if not found:
            raise Refused(f"POST {key}?uploads: {started.status_code} {started.text}")
        upload = found.group(1)
        block = self._random.choice(self._shared[2:])
        bodies = [(block * (PART // len(block) + 1))[:PART], self._random.randbytes(5_000)]
        rows = ""
        for number, body in enumerate(bodies, 1):
            query = {"partNumber": str(number), "uploadId": upload}
            part = await self._request("PUT", key, body, query=query)
            if part.status_code != 200:
                raise Refused(f"part of {key}: {part.status_code} {part.text}")
            rows += (
                f"<Part><PartNumber>{number}</PartNumber><ETag>{part.headers['etag']}</ETag></Part>"
            )
        document = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()
        stored = Stored.multipart(bodies)
        answer = await self._change(key, stored, "POST", document, query={"uploadId": upload})
        if stored.etag.strip('"') not in answer.text:
            raise Refused(f"POST {key}: {answer.text}, wanted {stored.etag}")


async def run_clients(
    endpoint: Endpoint,
    bucket: str,
    ledger: Ledger,
    *,
    seed: int,
    count: int = 16,
    may_fail: bool = False,
) -> None:
    """All clients at once, each on a connection of its own, until the server is gone."""
    sessions = [S3(endpoint) for _ in range(count)]
    try:
        clients = [
            Client(n, s3, bucket, ledger, seed, may_fail=may_fail) for n, s3 in enumerate(sessions)
        ]
        await asyncio.gather(*(client.run() for client in clients))
    finally:
        for session in sessions:
            await session.__aexit__()


async def check(endpoint: Endpoint, bucket: str, ledger: Ledger, *, count: int = 16) -> None:
    """Every key reads back as one of its possible states, whole, with the right ETag."""
    async with S3(endpoint) as s3:
        keys = sorted(
            f"client {n:02}/key+{i}" for n in range(count) for i in range(KEYS_PER_CLIENT)
        )
        present = []
        for key in keys:
            answer = await s3.request("GET", bucket, key)
            if answer.status_code not in {200, 404}:
                raise Refused(f"GET {key}: {answer.status_code} {answer.text}")
            state = None
            if answer.status_code == 200:
                state = Stored(hashlib.sha256(answer.content).digest(), answer.headers["etag"])
                present.append(key)
            if state not in ledger.possible(key):
                raise Refused(f"{key} holds {state}, not one of {ledger.possible(key)}")
            ledger.acknowledged[key] = state
        ledger.in_flight.clear()
        listed = await s3.request("GET", bucket, query={"list-type": "2"})
        names = re.findall(r"<Key>(.*?)</Key>", listed.text)
        if names != present:
            raise Refused(f"listed {len(names)} keys, {len(present)} are there")
