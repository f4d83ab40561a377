"""Where clients race: many connections to one server, begun in random order, answers compared."""

import asyncio
import hashlib
import itertools
import random
import re
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Self
from urllib.parse import quote

import httpx

from support.endpoint import Endpoint
from support.s3 import S3
from vexobj_storage import ObjectStore

CONNECTIONS = 16
READERS = 6
SIZES = (700, 20_000, 300_000)
"""Inline, one write, and many reads long."""

Call = Coroutine[None, None, httpx.Response]


class Arena:
    """One bucket, and connections enough that every worker has some of them.

    `store` is what the server serves, opened by another process than its workers.

    No answer may be a 500 or above: nothing that clients do to each other is the server's fault.
    """

    def __init__(self, endpoint: Endpoint, bucket: str, seed: int, store: ObjectStore) -> None:
        self.bucket = bucket
        self.store = store
        self.random = random.Random(seed)
        self.shared = [self.random.randbytes(size) for size in SIZES]
        self._endpoint = endpoint
        self._stack = AsyncExitStack()
        self._sessions = [S3(endpoint) for _ in range(CONNECTIONS)]
        self._next = itertools.cycle(self._sessions)
        self._native = httpx.AsyncClient(
            base_url=endpoint.url,
            headers={"authorization": f"Bearer {endpoint.secret_access_key}"},
            timeout=300,
        )

    async def __aenter__(self) -> Self:
        for session in self._sessions:
            await self._stack.enter_async_context(session)
        await self._stack.enter_async_context(self._native)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def content(self) -> bytes:
        return self.random.randbytes(self.random.choice(SIZES))

    async def at_once(self, *calls: Call) -> list[httpx.Response]:
        """The answers in the order of the calls, which began in any order."""
        order = list(enumerate(calls))
        self.random.shuffle(order)
        answers = await asyncio.gather(*(call for _, call in order))
        sent = dict(zip((place for place, _ in order), answers, strict=True))
        for answer in answers:
            assert answer.status_code < 500, f"{answer.request.url}: {answer.text}"
        return [sent[place] for place in range(len(calls))]

    async def request(
        self,
        method: str,
        key: str = "",
        body: bytes = b"",
        *,
        bucket: str | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        session = next(self._next)
        where = self.bucket if bucket is None else bucket
        return await session.request(method, where, key, body, query=query, headers=headers)

    def put(self, key: str, body: bytes, **headers: str) -> Call:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("PUT", key, body, headers=sent)

    def get(self, key: str) -> Call:
        return self.request("GET", key)

    def delete(self, key: str) -> Call:
        return self.request("DELETE", key)

    def copy(self, source: str, key: str) -> Call:
        header = {"x-amz-copy-source": f"/{self.bucket}/{quote(source)}"}
        return self.request("PUT", key, headers=header)

    async def collect(self) -> httpx.Response:
        """Garbage, now."""
        return await self._native.post("/v1/admin/gc")

    async def hold(self, key: str, *, on: bool) -> httpx.Response:
        """A legal hold, set or lifted."""
        path, wanted = f"/v1/admin/lock/{self.bucket}", {"legal_hold": on}
        return await self._native.put(path, params={"key": key}, json=wanted)

    async def purge(self, key: str, bucket: str | None = None) -> httpx.Response:
        path = f"/v1/versions/{self.bucket if bucket is None else bucket}"
        return await self._native.delete(path, params={"key": key})

    async def expire(self) -> httpx.Response:
        """What lifecycle rules say is due."""
        return await self._native.post("/v1/admin/lifecycle/run")

    async def limit(self, bucket: str, *, bytes_: int | None, objects: int | None) -> None:
        """Set a quota: of bytes if they are given, else of objects."""
        wanted = {"max_objects": objects} if bytes_ is None else {"max_bytes": bytes_}
        answer = await self._native.put(f"/v1/admin/quota/{bucket}", json=wanted)
        assert answer.status_code == 200, answer.text

    async def make(self, bucket: str) -> None:
        """The bucket, if it is not there."""
        await self.request("PUT", bucket=bucket)

    async def everywhere(self, key: str) -> bytes | None:
        """What a key holds, asked on several connections: whole, and the same for all."""
        answers = await self.at_once(*(self.get(key) for _ in range(READERS)))
        states = {whole(answer) for answer in answers}
        assert len(states) == 1, f"{key} is not the same for all"
        return states.pop()

    async def keys(self, bucket: str | None = None) -> list[str]:
        listed = await self.request("GET", bucket=bucket, query={"list-type": "2"})
        return re.findall(r"<Key>(.*?)</Key>", listed.text)


def whole(answer: httpx.Response) -> bytes | None:
    """The body, whose ETag must be its own, or None when there is nothing."""
    if answer.status_code == 404:
        return None
    assert answer.status_code == 200, answer.text
    md5 = hashlib.md5(answer.content).digest()
    of_one_part = f"{hashlib.md5(md5).hexdigest()}-1"
    assert answer.headers["etag"].strip('"') in {md5.hex(), of_one_part}
    return answer.content


def codes(answers: list[httpx.Response]) -> set[int]:
    return {answer.status_code for answer in answers}
