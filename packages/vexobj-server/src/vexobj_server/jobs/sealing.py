"""The loops that keep keys and what is sealed under them in order."""

from collections.abc import Sequence
from datetime import timedelta

from vexobj_server.jobs.loops import Loop
from vexobj_storage import ObjectStore

_ROOT_KEYS = timedelta(seconds=60)


def root_keys(store: ObjectStore) -> Sequence[Loop]:
    """For every process: a new root key may have been made elsewhere."""
    return (Loop("root keys", _ROOT_KEYS, store.refresh_keys),)
