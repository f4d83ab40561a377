"""The values used last, up to so many bytes."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps what was used last; a value larger than an eighth of the whole is not kept."""

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity = capacity_bytes
        self._size = 0
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Keep `value`, in place of what `key` stood for."""
        known = self._entries.pop(key, None)
        if known is not None:
            self._size -= known[1]
        if size * 8 > self._capacity:
            return
        self._entries[key] = (value, size)
        self._size += size
        while self._size > self._capacity:
            _, (_, evicted) = self._entries.popitem(last=False)
            self._size -= evicted
