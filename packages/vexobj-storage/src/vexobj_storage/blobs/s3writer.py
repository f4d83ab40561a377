"""One blob on its way to an S3 service: a single PUT, or the parts of a multipart upload."""

import asyncio
import hashlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO

from vexobj_storage.blobs.base import Through
from vexobj_storage.blobs.service import Refusal, S3Service, unwritten
from vexobj_storage.errors import StoreClosed, StoreError, WriteFailed
from vexobj_storage.files import Buffer

_MIB = 1024**2
_MOST_PARTS = 10_000
_LATER_PARTS = 1_350
"""A size that nobody announced: parts grow with what came, so that 10,000 of them hold 5 TiB."""
_CLEANING_ATTEMPTS = 2


class S3BlobWriter:
    """Holds two parts at most: one that is being sent, and one that is being filled.

    A part has the configured `part_bytes`, more only where 10,000 of them would not hold the blob.
    """

    def __init__(
        self, service: S3Service, threads: ThreadPoolExecutor, key: str, size: int | None
    ) -> None:
        self._service = service
        self._threads = threads
        self._key = key
        self._size = size
        self._received = 0
        self._part = self._new_part()
        self._upload_id: str | None = None
        self._tags: list[str] = []
        self._filling: asyncio.Future[list[_Part]] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._finishing: asyncio.Task[None] | None = None
        self._undoing: asyncio.Task[None] | None = None
        self._closed = self._committed = False

    async def write(self, chunk: Buffer, through: Through | None = None) -> None:
        self._check_open()
        for part in await self._fill(chunk, through):
            await self._hand_over(part)

    async def commit(self) -> None:
        self._check_open()
        self._closed = True
        self._finishing = self._service.start(self._finish())
        await asyncio.shield(self._finishing)
        self._committed = True

    async def abort(self) -> None:
        if self._committed:
            return
        self._closed = True
        if self._undoing is None:
            self._undoing = self._service.start(self._undo())
        await asyncio.shield(self._undoing)

    def _check_open(self) -> None:
        if self._closed:
            raise WriteFailed("the writer is closed")

    async def _fill(self, chunk: Buffer, through: Through | None) -> "list[_Part]":
        """In a thread; the full parts that come of it. A caller that is cancelled just leaves."""
        loop = asyncio.get_running_loop()
        try:
            self._filling = loop.run_in_executor(self._threads, self._append, chunk, through)
        except RuntimeError:
            raise StoreClosed from None
        return await asyncio.shield(self._filling)

    def _append(self, chunk: Buffer, through: Through | None) -> "list[_Part]":
        data = memoryview(chunk if through is None else through(chunk))
        full = []
        while data:
            taken = data[: self._part.room]
            self._part.append(taken)
            self._received += len(taken)
            data = data[len(taken) :]
            if not self._part.room:
                full.append(self._part)
                self._part = self._new_part()
        return full

    def _new_part(self) -> "_Part":
        return _Part(part_bytes(self._service.config.part_bytes, self._received, self._size))

    async def _hand_over(self, part: "_Part") -> None:
        """Send it in the background, once the one before it has arrived."""
        await self._arrived()
        self._sending = self._service.start(self._send(part))

    async def _arrived(self) -> None:
        if self._sending is not None:
            await asyncio.shield(self._sending)
            self._sending = None

    async def _send(self, part: "_Part") -> None:
        try:
            if self._upload_id is None:
                begun = await self._service.call("create_multipart_upload", {"Key": self._key})
                self._upload_id = begun["UploadId"]
            number = {"PartNumber": len(self._tags) + 1, "UploadId": self._upload_id}
            parameters = {"Key": self._key, **number, **part.body()}
            answer = await self._service.call("upload_part", parameters)
        except Refusal as refusal:
            raise unwritten(refusal) from refusal
        self._tags.append(answer["ETag"])

    async def _finish(self) -> None:
        await self._arrived()
        if self._upload_id is None:
            await self._put_whole()
            return
        if self._part.size:
            await self._send(self._part)
        try:
            await self._complete()
        except Refusal as refusal:
            # The upload is gone when an earlier attempt was carried out and its answer lost.
            if not (refusal.missing and await self._is_whole()):
                raise unwritten(refusal) from refusal

    async def _put_whole(self) -> None:
        try:
            await self._service.call("put_object", {"Key": self._key, **self._part.body()})
        except Refusal as refusal:
            raise unwritten(refusal) from refusal

    async def _complete(self) -> None:
        parts = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(self._tags, 1)]
        upload = {"Key": self._key, "UploadId": self._upload_id}
        await self._service.call(
            "complete_multipart_upload", {**upload, "MultipartUpload": {"Parts": parts}}
        )

    async def _is_whole(self) -> bool:
        try:
            head = await self._service.call("head_object", {"Key": self._key})
        except Refusal:
            return False
        return bool(head["ContentLength"] == self._received)

    async def _undo(self) -> None:
        """What cannot be removed now falls to the sweeps."""
        if self._filling is not None:
            with suppress(Exception):
                await self._filling
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        if self._finishing is not None:
            with suppress(StoreError):
                await self._finishing
            await self._clean("delete_object", {"Key": self._key})
        if self._upload_id is not None:
            upload = {"Key": self._key, "UploadId": self._upload_id}
            await self._clean("abort_multipart_upload", upload)
        self._part = self._new_part()

    async def _clean(self, operation: str, parameters: dict[str, str]) -> None:
        with suppress(Refusal):
            await self._service.call(operation, parameters, attempts=_CLEANING_ATTEMPTS)


def part_bytes(least: int, received: int, announced: int | None) -> int:
    """The size of the part after `received` bytes of a blob of `announced`, if it was."""
    if announced is None:
        return max(least, received // _LATER_PARTS)
    # Room for what a cipher adds, so that all parts but the last are of one size.
    share = announced * 101 // 100 // _MOST_PARTS + 1
    return max(least, -(-share // _MIB) * _MIB)


class _Part:
    """Bytes and their MD5, taken as they come."""

    def __init__(self, room: int) -> None:
        self.size = 0
        self.room = room
        self._data = BytesIO()
        self._md5 = hashlib.md5(usedforsecurity=False)

    def append(self, data: Buffer) -> None:
        self._data.write(data)
        self._md5.update(data)
        self.size += len(data)
        self.room -= len(data)

    def body(self) -> dict[str, object]:
        return {"Body": self._data, "ContentMD5": b64encode(self._md5.digest()).decode()}
