"""The loops that keep keys and what is sealed under them in order."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

from vexobj_server.jobs.loops import Loop
from vexobj_server.observability.rewriting import RewritingMetrics
from vexobj_storage import ObjectStore

_ROOT_KEYS = timedelta(seconds=60)
_REWRITING = timedelta(seconds=15)


def root_keys(store: ObjectStore) -> Sequence[Loop]:
    """For every process: a new root key may have been made elsewhere."""
    return (Loop("root keys", _ROOT_KEYS, store.refresh_keys),)


def rewriting(store: ObjectStore, metrics: RewritingMetrics) -> Sequence[Loop]:
    """For one process of all: what `vexobj rekey --rewrite` asked for, in half of the time."""

    async def work() -> None:
        while True:
            began = time.monotonic()
            step = await store.rewrite_some()
            if step is None:
                return
            metrics.stepped(step)
            await asyncio.sleep(time.monotonic() - began)

    return (Loop("rewriting", _REWRITING, work),)
