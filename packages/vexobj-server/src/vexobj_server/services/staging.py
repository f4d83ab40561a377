"""A request's body on its way into the store: few bytes at once, many as a stream."""

from vexobj_s3compat import Body
from vexobj_storage import ObjectStore, StagedContent


async def stage_body(store: ObjectStore, body: Body, inline_max_bytes: int) -> StagedContent:
    """Stage all of it and prove what the client promised of it; on an error nothing stays.

    A body of the inline size is hashed on the event loop: a hop to a thread would cost more.
    """
    size = body.size
    if size is not None and size <= inline_max_bytes:
        data = await body.read()
        for hasher in body.hashers.values():
            hasher.update(data)
        staged = store.stage_bytes(data)
    else:
        staged = await store.stage(body, size=size, hashers=body.hashers)
    try:
        body.verify(md5=staged.md5, sha256=staged.sha256)
    except BaseException:
        await store.discard(staged)
        raise
    return staged
