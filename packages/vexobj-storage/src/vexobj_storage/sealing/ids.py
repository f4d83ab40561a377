"""A blob's id, which also tells under which root key the blob is sealed.

    plain   0|time 47|random 80            bits; the time is in milliseconds, so that rows cluster
    sealed  1|time 47|root key 16|random 64

The first bit was always 0 before there was encryption. So whoever holds an id (a version, a
manifest, a file's name) knows what is needed to open the blob but the root key itself, and what
is not sealed pays one look at a byte.
"""

import secrets
import time

from vexobj_storage.ids import new_id

_SEALED = 1 << 47
_KEYS = 1 << 16


def new_blob_id(key_id: int = 0) -> bytes:
    """16 bytes that were never used before; `key_id` 0 for a blob that is not sealed."""
    if not key_id:
        return new_id()
    if not 0 < key_id < _KEYS:
        raise ValueError(f"no root key has the id {key_id}")
    head = (time.time_ns() // 1_000_000 | _SEALED).to_bytes(6, "big")
    return head + key_id.to_bytes(2, "big") + secrets.token_bytes(8)


def sealing_key(blob_id: bytes) -> int:
    """The id of the root key that the blob is sealed under; 0 if it is not."""
    return int.from_bytes(blob_id[6:8], "big") if blob_id[0] & 0x80 else 0
