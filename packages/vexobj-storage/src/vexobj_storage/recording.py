"""Who does what: an audit entry that is written in the transactions made on its behalf."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from vexobj_storage.metadata.ops import audit
from vexobj_storage.metadata.ops.audit import AuditEntry
from vexobj_storage.metadata.tx import MetaStore, Operation, Tx, is_durable

P = ParamSpec("P")
R = TypeVar("R")


_CURRENT: ContextVar[AuditEntry | None] = ContextVar("audit_entry", default=None)


def current_entry() -> AuditEntry | None:
    return _CURRENT.get()


def set_entry(entry: AuditEntry | None) -> None:
    """What this task does from now on is done on behalf of `entry`."""
    _CURRENT.set(entry)


@contextmanager
def recording(entry: AuditEntry | None) -> Iterator[None]:
    """Writes of any store within are on behalf of `entry`; None: of nobody.

    The entry is durable with the first of them, and lost with it: no write that was acknowledged
    lacks its entry, and what was refused leaves none.
    """
    token = _CURRENT.set(entry)
    try:
        yield
    finally:
        _CURRENT.reset(token)


class Recorded:
    """A MetaStore whose writes carry the entry on whose behalf they are made.

    Reads are the engine's own methods: they pay nothing.
    """

    def __init__(self, metadata: MetaStore) -> None:
        self._inner = metadata
        self.dialect = metadata.dialect
        self.read = metadata.read
        self.scan = metadata.scan
        self.epoch = metadata.epoch
        self.stamp = metadata.stamp
        self.snapshot = metadata.snapshot
        self.close = metadata.close

    def write(
        self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        entry = _CURRENT.get()
        if entry is None:
            return self._inner.write(operation, *args, **kwargs)
        return self._inner.write(_Recording(operation, audit.row(entry)), *args, **kwargs)


class _Recording:
    """An operation and its row in one transaction, also when it has to be settled."""

    __slots__ = ("_operation", "_row")

    def __init__(self, operation: Callable[..., Awaitable[Any]], row: audit.Row) -> None:
        self._operation = operation
        self._row = row

    async def __call__(self, tx: Tx, /, *args: Any, **kwargs: Any) -> Any:
        result = await self._operation(tx, *args, **kwargs)
        await audit.append(tx, self._row)
        return result

    @property
    def again(self) -> "_Recording":
        """Raises: AttributeError for an operation that nobody knows how to settle."""
        return _Recording(self._operation.again, self._row)  # type: ignore[attr-defined]

    @property
    def durable(self) -> bool:
        return is_durable(self._operation)
