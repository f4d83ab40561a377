"""The XML body of an operation: read whole, within its limit, and held to its promises."""

import hashlib

from vexobj_s3compat.content import Body
from vexobj_s3compat.errors import MaxMessageLengthExceeded


async def read_document(body: Body, limit_bytes: int) -> bytes:
    """All of a body that is at most `limit_bytes` long, verified.

    Raises:
        MaxMessageLengthExceeded: it is longer; what was announced is refused unread.
        IncompleteBody, BadDigest, XAmzContentSHA256Mismatch, RequestTimeout.
    """
    if body.size is not None and body.size > limit_bytes:
        raise MaxMessageLengthExceeded
    chunks, size = [], 0
    async for chunk in body:
        size += len(chunk)
        if size > limit_bytes:
            raise MaxMessageLengthExceeded
        chunks.append(chunk)
    document = b"".join(chunks)
    for hasher in body.hashers.values():
        hasher.update(document)
    body.verify(
        md5=hashlib.md5(document, usedforsecurity=False).digest(),
        sha256=hashlib.sha256(document).digest(),
    )
    return document
