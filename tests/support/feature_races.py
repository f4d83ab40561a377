"""Races of what a bucket may be told: limits, versions, expiry; and races of sealed contents."""

import asyncio
import re
from datetime import UTC, datetime

from support.arena import Arena, codes, whole
from support.races import (
    Race,
    a_source_goes_while_it_is_copied,
    an_upload_ends_once,
    many_writers_of_one_key,
    shared_content_goes_and_comes,
)
from vexobj_storage import BucketChange, LifecycleRule, Versioning

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def writers_meet_at_a_quota(arena: Arena) -> None:
    """Exactly as many get in as there is room for: puts, copies and parts of an upload."""
    bucket, body = "limited", arena.content()
    room = arena.random.randrange(6)
    by_bytes = arena.random.choice((True, False))
    await arena.make(bucket)
    await arena.put("to be copied", body)
    started = await arena.request("POST", "upload", bucket=bucket, query={"uploads": ""})
    (upload,) = re.findall(r"<UploadId>(.+?)</UploadId>", started.text)
    await arena.limit(bucket, bytes_=room * len(body) if by_bytes else None, objects=room)
    header = {"x-amz-copy-source": f"/{arena.bucket}/to%20be%20copied"}
    answers = await arena.at_once(
        *(arena.request("PUT", f"put{n}", body, bucket=bucket) for n in range(4)),
        *(arena.request("PUT", f"copy{n}", bucket=bucket, headers=header) for n in range(2)),
        *(
            arena.request(
                "PUT", "upload", body, bucket=bucket,
                query={"partNumber": str(n), "uploadId": upload},
            )
            for n in (range(1, 4) if by_bytes else ())
        ),
    )  # fmt: skip
    assert codes(answers) <= {200, 403}
    assert sum(answer.status_code == 200 for answer in answers) == room
    got_in = [answer.status_code == 200 for answer in answers[:6]]
    names = [*(f"put{n}" for n in range(4)), "copy0", "copy1"]
    stored = [name for name, there in zip(names, got_in, strict=True) if there]
    assert await arena.keys(bucket) == sorted(stored)
    await arena.request("DELETE", "upload", bucket=bucket, query={"uploadId": upload})
    await arena.limit(bucket, bytes_=None, objects=None)
    await arena.at_once(*(arena.request("DELETE", name, bucket=bucket) for name in stored))


async def versions_are_switched_while_they_are_written(arena: Arena) -> None:
    """Who was told a version's id finds that version; there is one null version at most."""
    bucket = "versioned"
    await arena.make(bucket)
    bodies = [arena.content() for _ in range(8)]
    both = (Versioning.SUSPENDED, Versioning.ENABLED)
    await arena.store.update_bucket(bucket, BucketChange(versioning=both[len(bodies[0]) % 2]))
    switches = asyncio.gather(
        *(arena.store.update_bucket(bucket, BucketChange(versioning=each)) for each in both)
    )
    answers = await arena.at_once(
        *(arena.request("PUT", "key", body, bucket=bucket) for body in bodies),
        arena.request("DELETE", "key", bucket=bucket),
        arena.request("DELETE", "key", bucket=bucket),
    )
    await switches
    assert codes(answers) <= {200, 204}
    ids = [answer.headers.get("x-amz-version-id", "null") for answer in answers]
    told = dict(zip(ids[:8], bodies, strict=False))
    for version_id, body in told.items():
        if version_id != "null":
            found = await arena.request(
                "GET", "key", bucket=bucket, query={"versionId": version_id}
            )
            assert whole(found) == body
    listed = await arena.request("GET", bucket=bucket, query={"versions": ""})
    kept = re.findall(r"<VersionId>(.+?)</VersionId>", listed.text)
    assert len(kept) == len(set(kept))
    assert set(ids) - {"null"} <= set(kept) <= set(ids)
    if "<DeleteMarker>" not in listed.text and "null" in kept:
        null = await arena.request("GET", "key", bucket=bucket, query={"versionId": "null"})
        assert null.content in bodies
    await arena.purge("key", bucket)


async def it_expires_while_it_is_put(arena: Arena) -> None:
    """With versions nothing is lost by it, only hidden; without, what was put stays or goes."""
    old, new = arena.content(), arena.content()
    for bucket, versioning in (("expiring", None), ("hiding", Versioning.ENABLED)):
        await arena.make(bucket)
        await arena.store.update_bucket(bucket, BucketChange(versioning=versioning))
        rule = LifecycleRule("all", _LONG_AGO, expire_at=_LONG_AGO)
        await arena.request("PUT", "key", old, bucket=bucket)
        await arena.store.set_lifecycle(bucket, [rule])
        answers = await arena.at_once(
            arena.expire(), arena.expire(),
            arena.request("PUT", "key", new, bucket=bucket),
            arena.request("GET", "key", bucket=bucket),
        )  # fmt: skip
        assert codes(answers[:3]) == {200}
        assert whole(answers[3]) in {None, old, new}
        left = whole(await arena.request("GET", "key", bucket=bucket))
        assert left in {None, new}
        await arena.expire()
        assert whole(await arena.request("GET", "key", bucket=bucket)) is None
        await arena.store.set_lifecycle(bucket, [])
        listed = await arena.request("GET", bucket=bucket, query={"versions": ""})
        assert listed.text.count("<Version>") == (0 if versioning is None else 2)
        await arena.purge("key", bucket)


async def it_is_sealed_anew_while_it_is_used(arena: Arena) -> None:
    """Under a new root key, by the server and by another process at once."""
    old, new = arena.content(), arena.content()
    await arena.at_once(arena.put("a", old), arena.put("b", old), arena.put("c", new))

    async def rewrite() -> None:
        await arena.store._keys.add(0)
        await arena.store.start_rewriting()
        for _ in range(4):
            await arena.store.rewrite_some()

    answers, *_ = await asyncio.gather(
        arena.at_once(
            arena.get("a"), arena.get("c"), arena.delete("b"), arena.put("a", new),
            arena.copy("c", "d"), arena.put("e", old), arena.collect(),
        ),
        rewrite(),
        rewrite(),
    )  # fmt: skip
    assert whole(answers[0]) in {old, new}
    assert whole(answers[1]) == new
    assert codes(answers[2:]) == {200, 204}
    assert [await arena.everywhere(key) for key in "abcde"] == [new, None, new, new, old]
    await arena.at_once(arena.delete("d"), arena.delete("e"))


async def it_is_downloaded_while_it_is_collected(arena: Arena) -> None:
    """Whole, or not there: what is being read lives as long as its grace."""
    body = arena.content()
    await arena.put("downloaded", body)
    answers = await arena.at_once(
        *(arena.get("downloaded") for _ in range(4)),
        arena.delete("downloaded"), arena.put("again", body), arena.collect(), arena.collect(),
    )  # fmt: skip
    assert {whole(answer) for answer in answers[:4]} <= {None, body}
    assert await arena.everywhere("downloaded") is None
    assert await arena.everywhere("again") == body
    await arena.at_once(arena.delete("again"), arena.collect())


FEATURE_RACES: tuple[Race, ...] = (
    writers_meet_at_a_quota, versions_are_switched_while_they_are_written,
    it_expires_while_it_is_put,
)  # fmt: skip

SEALED_RACES: tuple[Race, ...] = (
    it_is_sealed_anew_while_it_is_used, it_is_downloaded_while_it_is_collected,
    shared_content_goes_and_comes, a_source_goes_while_it_is_copied, an_upload_ends_once,
    many_writers_of_one_key,
)  # fmt: skip

DOWNLOAD_RACES: tuple[Race, ...] = (it_is_downloaded_while_it_is_collected,)
