"""Ids that no other version, blob or upload has; nothing here is secret."""

import os
import random
import time

_random = random.Random()  # noqa: S311 - of its own: what a program seeds must not repeat our ids
os.register_at_fork(after_in_child=_random.seed)


def new_id() -> bytes:
    """16 bytes: 6 of the time in milliseconds, so that rows cluster, and 10 random ones.

    The system's own randomness lets go of the interpreter's lock, at every write twice.
    """
    return (time.time_ns() // 1_000_000).to_bytes(6, "big") + _random.randbytes(10)
