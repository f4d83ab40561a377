"""Blobs in an S3 service that misbehaves, and what a writer there holds and leaves behind."""

import asyncio
import os
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from support.faulty import CutAnswer, CutRequest, Fault, Faulty, Refuse, Stall, faulty_proxy
from support.s3services import EVERY_MAKE
from vexobj_storage import errors
from vexobj_storage.blobs.s3 import S3BlobStore
from vexobj_storage.blobs.s3writer import part_bytes
from vexobj_storage.blobs.service import S3BlobConfig
from vexobj_storage.blobs.testing import get_blob, put_blob
from vexobj_storage.sealing.ids import new_blob_id

_MIB = 1024**2
_PART = 5 * _MIB
_LATER = timedelta(days=1)

Outcomes = Counter[tuple[str, str]]


@pytest.fixture
def outcomes() -> Outcomes:
    return Counter()


@pytest.fixture
async def proxy(s3_config: S3BlobConfig) -> AsyncIterator[Faulty]:
    async with faulty_proxy(s3_config.endpoint) as proxy:
        yield proxy


@pytest.fixture
async def blobs(
    s3_config: S3BlobConfig, proxy: Faulty, outcomes: Outcomes
) -> AsyncIterator[S3BlobStore]:
    """Through the proxy; three attempts, and little patience."""

    def observe(operation: str, outcome: str) -> None:
        outcomes[operation, outcome] += 1

    config = replace(
        s3_config, endpoint=proxy.url, timeout_seconds=5.0, max_attempts=3, observe=observe
    )
    store = await S3BlobStore.connect(config)
    yield store
    await store.close()


async def nothing_is_left(blobs: S3BlobStore, proxy: Faulty) -> bool:
    proxy.plan = lambda _method, _target: None
    listed = [found async for found in blobs.iterate()]
    return not listed and await blobs.sweep(datetime.now(UTC) + _LATER) == 0


async def test_a_download_goes_on_where_it_was_cut(
    blobs: S3BlobStore, proxy: Faulty, outcomes: Outcomes
) -> None:
    data = os.urandom(3 * _MIB)
    blob_id = await put_blob(blobs, data)
    proxy.plan = lambda method, _: CutAnswer(700_000) if method == "GET" else None
    assert await get_blob(blobs, blob_id, 0, len(data)) == data
    assert outcomes["get_object", "retry"] >= 4
    assert await get_blob(blobs, blob_id, 1_000_001, 1_500_000) == data[1_000_001:2_500_001]


async def test_a_download_that_does_not_move_ends(blobs: S3BlobStore, proxy: Faulty) -> None:
    blob_id = await put_blob(blobs, b"x" * _MIB)
    proxy.plan = lambda method, _: CutAnswer(1) if method == "GET" else None
    async with aclosing(blobs.open(blob_id, 700_000, 300_000)) as stream:
        assert [await anext(stream) for _ in range(2)] == [b"x", b"x"]
        proxy.plan = lambda _method, _target: CutAnswer(0)
        with pytest.raises(errors.StoreBusy):
            await anext(stream)


@pytest.mark.parametrize(
    "fault",
    [
        Refuse(503, "SlowDown"),
        Refuse(500, "InternalError"),
        Refuse(429, "TooManyRequests"),
        CutAnswer(0),
        CutRequest(1000),
    ],
    ids=str,
)
async def test_what_fails_twice_is_tried_again(
    blobs: S3BlobStore, proxy: Faulty, outcomes: Outcomes, fault: Fault
) -> None:
    proxy.first(2, fault, "PUT")
    data = os.urandom(_MIB)
    blob_id = await put_blob(blobs, data)
    # A connection that is cut may already have been tried again by the HTTP client, once.
    assert outcomes["put_object", "retry"] in ({2} if isinstance(fault, Refuse) else {1, 2})
    assert outcomes["put_object", "ok"] == 1
    if not isinstance(fault, CutRequest):
        proxy.first(2, fault, "GET")
        assert await get_blob(blobs, blob_id, 0, _MIB) == data


@EVERY_MAKE
@pytest.mark.parametrize(
    ("fault", "method", "having"),
    [
        (Refuse(503, "SlowDown"), "POST", "uploads"),
        (CutAnswer(0), "POST", "uploads"),
        (CutRequest(1_000_000), "PUT", "partNumber=2"),
        (CutAnswer(0), "PUT", "partNumber=2"),
        (Refuse(500, "InternalError"), "PUT", "partNumber=3"),
        (Refuse(503, "SlowDown"), "POST", "uploadId"),
        (CutAnswer(0), "POST", "uploadId"),
    ],
    ids=str,
)
async def test_a_multipart_upload_survives_any_step_failing(
    blobs: S3BlobStore, proxy: Faulty, fault: Fault, method: str, having: str
) -> None:
    proxy.first(1, fault, method, having)
    data = os.urandom(2 * _PART + 4_000)
    blob_id = await put_blob(blobs, data)
    assert await get_blob(blobs, blob_id, 0, len(data)) == data
    assert [found.size async for found in blobs.iterate()] == [len(data)]


async def test_a_stalled_answer_is_given_up(s3_config: S3BlobConfig, proxy: Faulty) -> None:
    store = await S3BlobStore.connect(replace(s3_config, endpoint=proxy.url, timeout_seconds=0.3))
    proxy.first(1, Stall(), "PUT")
    blob_id = await put_blob(store, b"slow")
    proxy.first(1, Stall(), "GET")
    assert await get_blob(store, blob_id, 0, 4) == b"slow"
    await store.close()


@pytest.mark.parametrize(
    ("fault", "condition"),
    [
        (Refuse(503, "SlowDown"), errors.StoreBusy),
        (CutAnswer(0), errors.StoreBusy),
        (Refuse(507, "InsufficientStorage"), errors.OutOfSpace),
        (Refuse(403, "QuotaExceeded"), errors.OutOfSpace),
        (Refuse(403, "AccessDenied"), errors.WriteFailed),
        (Refuse(404, "NoSuchBucket"), errors.WriteFailed),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [1000, 2 * _PART])
async def test_a_write_that_fails_says_how_and_leaves_nothing(
    blobs: S3BlobStore, proxy: Faulty, fault: Fault, condition: type[Exception], size: int
) -> None:
    proxy.plan = lambda method, _: fault if method == "PUT" else None
    writer = blobs.create(new_blob_id(), size)

    async def write() -> None:
        await writer.write(bytes(size))
        await writer.commit()

    with pytest.raises(condition):
        await write()
    await writer.abort()
    assert await nothing_is_left(blobs, proxy)


@pytest.mark.parametrize(
    ("fault", "condition"),
    [
        (Refuse(503, "SlowDown"), errors.StoreBusy),
        (Refuse(403, "AccessDenied"), errors.ReadFailed),
        (Refuse(404, "NoSuchBucket"), errors.ReadFailed),
        (Refuse(404, "NoSuchKey"), errors.BlobMissing),
    ],
    ids=str,
)
async def test_a_read_that_fails_says_how(
    blobs: S3BlobStore, proxy: Faulty, fault: Fault, condition: type[Exception]
) -> None:
    blob_id = await put_blob(blobs, b"there")
    proxy.plan = lambda _method, _target: fault
    with pytest.raises(condition):
        await get_blob(blobs, blob_id, 0, 5)


async def test_a_service_out_of_reach_is_busy(s3_config: S3BlobConfig) -> None:
    async with faulty_proxy(s3_config.endpoint) as gone:
        config = replace(s3_config, endpoint=gone.url, max_attempts=2)
    store = await S3BlobStore.connect(config)
    with pytest.raises(errors.StoreBusy):
        await put_blob(store, b"nobody listens")
    with pytest.raises(errors.StoreBusy):
        await store.delete(new_blob_id())
    await store.close()


@pytest.mark.parametrize("step", ["PUT", "POST"])
async def test_a_cancelled_write_leaves_nothing(
    blobs: S3BlobStore, proxy: Faulty, step: str
) -> None:
    """In the midst of a part, and of the completion."""
    reached = asyncio.Event()

    def plan(method: str, target: str) -> Fault | None:
        if method == step and "uploadId" in target:
            reached.set()
            return CutAnswer(0)
        return None

    proxy.plan = plan
    writer = blobs.create(new_blob_id())

    async def write() -> None:
        try:
            await writer.write(bytes(2 * _PART + 1))
            await writer.commit()
        except asyncio.CancelledError:
            await writer.abort()
            raise

    task = asyncio.create_task(write())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await nothing_is_left(blobs, proxy)


@EVERY_MAKE
async def test_sweep_removes_only_old_uploads_of_blobs(
    blobs: S3BlobStore, s3_config: S3BlobConfig
) -> None:
    writer = blobs.create(new_blob_id())
    await writer.write(bytes(2 * _PART))
    foreign = {"Key": f"{s3_config.prefix}somebody/else"}
    upload = await blobs._service.call("create_multipart_upload", foreign)
    assert await blobs.sweep(datetime.now(UTC) - _LATER) == 0
    assert await blobs.sweep(datetime.now(UTC) + _LATER) == 1
    await blobs._service.call("abort_multipart_upload", {**foreign, "UploadId": upload["UploadId"]})
    await writer.abort()


@EVERY_MAKE
async def test_iterate_passes_over_what_is_no_blob(
    blobs: S3BlobStore, s3_config: S3BlobConfig
) -> None:
    blob_id = await put_blob(blobs, b"a blob")
    for name in ("readme", f"00/{'0' * 31}", f"{blob_id.hex()[-2:]}/{blob_id.hex().upper()}"):
        await blobs._service.call("put_object", {"Key": s3_config.prefix + name})
    assert [found.blob_id async for found in blobs.iterate()] == [blob_id]


async def test_a_write_holds_two_parts_at_most(blobs: S3BlobStore) -> None:
    chunk = os.urandom(320 * 1024)
    writer = blobs.create(new_blob_id())
    tracemalloc.start()
    try:
        for _ in range(200):
            await writer.write(chunk)
        _, peak = tracemalloc.get_traced_memory()
        await writer.commit()
    finally:
        tracemalloc.stop()
    assert peak < 4 * _PART, "BytesIO grows by an eighth, and the proxy of the test holds some too"


def test_parts_grow_where_10_000_would_not_do() -> None:
    assert part_bytes(8 * _MIB, 0, 70 * 1024 * _MIB) == 8 * _MIB
    assert part_bytes(8 * _MIB, 0, 5 * 1024**4) * 10_000 > 5 * 1024**4
    received = parts = 0
    while received < 5 * 1024**4:
        received += part_bytes(8 * _MIB, received, None)
        parts += 1
    assert parts <= 10_000
