"""Races for the contents of one bucket: what is asked at once, and what may have come of it."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from hashlib import md5

from support.arena import Arena, codes, whole

Race = Callable[[Arena], Awaitable[None]]


async def many_writers_of_one_key(arena: Arena) -> None:
    before = await arena.everywhere("contended")
    bodies = [arena.content() for _ in range(8)]
    puts = [arena.put("contended", body) for body in bodies]
    answers = await arena.at_once(*puts, *(arena.get("contended") for _ in range(4)))
    assert codes(answers[:8]) == {200}
    assert {whole(answer) for answer in answers[8:]} <= {before, *bodies}
    assert await arena.everywhere("contended") in bodies


async def one_creator_of_many(arena: Arena) -> None:
    await arena.delete("created")
    bodies = [arena.content() for _ in range(10)]
    answers = await arena.at_once(
        *(arena.put("created", body, if_none_match="*") for body in bodies)
    )
    won = [body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 200]
    assert len(won) == 1
    assert codes(answers) == {200, 412}
    assert await arena.everywhere("created") == won[0]


async def each_compare_and_set_builds_on_the_last(arena: Arena) -> None:
    await arena.put("counter", b"0")

    async def add() -> None:
        while True:
            seen = await arena.get("counter")
            value = b"%d" % (int(seen.content) + 1)
            answer = await arena.put("counter", value, if_match=seen.headers["etag"])
            if answer.status_code == 200:
                return
            assert answer.status_code == 412

    await asyncio.gather(*(add() for _ in range(5)))
    assert await arena.everywhere("counter") == b"5"


async def shared_content_goes_and_comes(arena: Arena) -> None:
    """The last reference to content is deleted, and collected, while the same is put again."""
    content = arena.random.choice(arena.shared)
    assert (await arena.put("a", content)).status_code == 200
    answers = await arena.at_once(
        arena.delete("a"), arena.put("b", content), arena.put("c", content),
        arena.copy("a", "d"), arena.collect(), arena.collect(),
    )  # fmt: skip
    assert codes(answers[:3]) == {200, 204}
    copied = answers[3].status_code
    assert copied in {200, 404}
    held = [await arena.everywhere(key) for key in "abcd"]
    assert held == [None, content, content, content if copied == 200 else None]
    answers = await arena.at_once(
        arena.delete("b"), arena.delete("d"), arena.put("a", content), arena.get("c"),
        arena.collect(), arena.collect(),
    )  # fmt: skip
    assert whole(answers[3]) == content
    assert [await arena.everywhere(key) for key in "abcd"] == [content, None, content, None]
    await arena.at_once(arena.delete("a"), arena.delete("c"), arena.collect())


async def an_upload_ends_once(arena: Arena) -> None:
    """Completed or aborted, while its parts are sent again."""
    first, again = arena.content(), arena.content()
    key = "uploaded"
    started = await arena.request("POST", key, query={"uploads": ""})
    (upload,) = re.findall(r"<UploadId>(.+?)</UploadId>", started.text)
    this = {"uploadId": upload}
    await arena.request("PUT", key, first, query={"partNumber": "1", **this})
    named = f"<Part><PartNumber>1</PartNumber><ETag>{md5(first).hexdigest()}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{named}</CompleteMultipartUpload>".encode()
    parts = [
        arena.request("PUT", key, body, query={"partNumber": number, **this})
        for number, body in (("1", again), ("2", again), ("2", first))
    ]
    answers = await arena.at_once(
        arena.request("POST", key, document, query=this),
        arena.request("POST", key, document, query=this),
        arena.request("DELETE", key, query=this),
        *parts,
    )
    assert codes(answers[:2]) <= {200, 400, 404}
    assert answers[2].status_code in {204, 404}
    assert codes(answers[3:]) <= {200, 404}
    completed = 200 in codes(answers[:2])
    assert not (completed and answers[2].status_code == 204)
    assert await arena.everywhere(key) == (first if completed else None)
    await arena.request("DELETE", key, query=this)
    await arena.at_once(arena.delete(key), arena.collect())


async def a_bucket_comes_and_goes(arena: Arena) -> None:
    """Who was told that an object is stored finds it, whoever deleted the bucket meanwhile."""
    bucket, keys = f"bucket-{arena.random.randrange(3)}", [f"key{n}" for n in range(4)]
    if arena.random.choice((True, False)):
        await arena.request("PUT", bucket=bucket)
    body = arena.content()
    answers = await arena.at_once(
        *(arena.request("PUT", key, body, bucket=bucket) for key in keys),
        arena.request("PUT", bucket=bucket),
        arena.request("DELETE", bucket=bucket),
        arena.request("DELETE", bucket=bucket),
        arena.request("POST", "key", bucket=bucket, query={"uploads": ""}),
    )
    assert codes(answers[:4]) <= {200, 404}
    assert codes(answers[4:7]) <= {200, 204, 404, 409}
    assert answers[7].status_code in {200, 404}
    stored = [key for key, put in zip(keys, answers, strict=False) if put.status_code == 200]
    assert await arena.keys(bucket) == stored
    for key in stored:
        assert whole(await arena.request("GET", key, bucket=bucket)) == body
        await arena.request("DELETE", key, bucket=bucket)
    listed = await arena.request("GET", bucket=bucket, query={"uploads": ""})
    for upload in re.findall(r"<UploadId>(.+?)</UploadId>", listed.text):
        await arena.request("DELETE", "key", bucket=bucket, query={"uploadId": upload})
    assert (await arena.request("DELETE", bucket=bucket)).status_code in {204, 404}


async def a_source_goes_while_it_is_copied(arena: Arena) -> None:
    old, new = arena.content(), arena.content()
    await arena.at_once(arena.put("source", old), arena.delete("target"))
    answers = await arena.at_once(
        arena.copy("source", "target"), arena.copy("source", "target"),
        arena.delete("source"), arena.put("source", new), arena.collect(),
    )  # fmt: skip
    assert codes(answers[:2]) <= {200, 404}
    target = await arena.everywhere("target")
    assert (target is None) == (200 not in codes(answers[:2]))
    assert target in {None, old, new}
    assert await arena.everywhere("source") in {None, new}


async def a_batch_is_deleted_while_it_is_written(arena: Arena) -> None:
    keys = [f"batch/{n}" for n in range(6)]
    body = arena.content()
    await arena.at_once(*(arena.put(key, b"old") for key in keys))
    named = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    document = f"<Delete><Quiet>true</Quiet>{named}</Delete>".encode()
    sum_ = {"content-md5": b64encode(md5(document).digest()).decode()}
    answers = await arena.at_once(
        *(arena.put(key, body) for key in keys),
        arena.request("POST", "", document, query={"delete": ""}, headers=sum_),
        arena.request("POST", "", document, query={"delete": ""}, headers=sum_),
    )
    assert codes(answers) == {200}
    assert "<Error>" not in answers[-1].text + answers[-2].text
    held = {key: await arena.everywhere(key) for key in keys}
    assert set(held.values()) <= {None, body}
    there = [key for key in await arena.keys() if key in held]
    assert there == [key for key in keys if held[key] is not None]


async def a_lock_is_set_while_it_is_removed(arena: Arena) -> None:
    """Who was told that the object is locked finds it, whatever was asked meanwhile."""
    await arena.put("locked", arena.content())
    answers = await arena.at_once(
        arena.hold("locked", on=True), arena.delete("locked"), arena.purge("locked"),
        arena.put("locked", arena.content()), arena.copy("locked", "locked-copy"),
    )  # fmt: skip
    assert codes(answers) <= {200, 204, 403, 404, 409}
    kept = await arena.everywhere("locked")
    if answers[0].status_code == 200:
        assert kept is not None
        answers = await arena.at_once(
            arena.delete("locked"), arena.put("locked", b""), arena.copy("locked-copy", "locked")
        )
        assert codes(answers) <= {403, 404}
        assert await arena.everywhere("locked") == kept
        await arena.hold("locked", on=False)
    assert (await arena.delete("locked")).status_code == 204
    await arena.at_once(arena.delete("locked-copy"), arena.collect())


RACES: tuple[Race, ...] = (
    many_writers_of_one_key, one_creator_of_many, each_compare_and_set_builds_on_the_last,
    shared_content_goes_and_comes, an_upload_ends_once, a_bucket_comes_and_goes,
    a_source_goes_while_it_is_copied, a_batch_is_deleted_while_it_is_written,
    a_lock_is_set_while_it_is_removed,
)  # fmt: skip
