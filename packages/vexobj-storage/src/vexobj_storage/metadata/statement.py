"""A statement: SQLAlchemy Core, compiled once per dialect to SQL text and its bind order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.base import Executable

_DIALECTS: dict[str, Callable[[], Dialect]] = {
    "sqlite": lambda: sqlite.dialect(paramstyle="qmark"),
    "postgresql": lambda: postgresql.dialect(paramstyle="numeric_dollar"),
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """SQL text in the driver's own style, and the bind names in the order it wants them."""

    sql: str
    names: tuple[str, ...]


@dataclass(eq=False)
class Statement:
    """Named binds in, rows out. `build` receives the dialect's name: `insert` differs by it."""

    build: Callable[[str], Executable]
    _compiled: dict[str, Compiled] = field(default_factory=dict)

    def compiled(self, dialect: str) -> Compiled:
        known = self._compiled.get(dialect)
        if known is None:
            known = self._compiled[dialect] = _compile(self.build(dialect), dialect)
        return known


def _compile(executable: Executable, dialect: str) -> Compiled:
    compiled: Any = executable.compile(dialect=_DIALECTS[dialect]())  # type: ignore[attr-defined]
    return Compiled(str(compiled), tuple(compiled.positiontup or ()))
