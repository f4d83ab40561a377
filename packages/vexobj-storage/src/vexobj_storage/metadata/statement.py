"""A statement: SQLAlchemy Core, compiled once per dialect to SQL text and its bind order.

Every bind without a value is the caller's to give at each execution. A value that stands in the
statement itself (a flag, a LIMIT) becomes a literal of the SQL text, so that planners see it and
partial indexes match it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.asyncpg import PGCompiler_asyncpg, PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

Binder = Callable[[Mapping[str, Any]], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Compiled:
    """SQL text in the driver's own style, and the binds in the order the driver wants them.

    `bind` makes the driver's tuple of named values; it ignores names that the statement does not
    have, and raises KeyError for one that it misses.
    """

    sql: str
    names: tuple[str, ...]
    bind: Binder


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


def insert_for(dialect: str, table: Any) -> sqlite.Insert:
    """The dialect's own INSERT, which has `on_conflict_do_nothing` and `on_conflict_do_update`.

    Typed as SQLite's: what that one takes, PostgreSQL's takes too.
    """
    if dialect == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)  # type: ignore[return-value]


class _Literals(SQLCompiler):
    """Renders the values that stand in the statement; leaves placeholders for those that do not."""

    def visit_bindparam(
        self, bindparam: BindParameter[Any], *args: Any, literal_binds: bool = False, **kw: Any
    ) -> str:
        kw["literal_binds"] = literal_binds or not bindparam.required
        text: str = super().visit_bindparam(bindparam, *args, **kw)  # type: ignore[no-untyped-call]
        return text


class _SqliteCompiler(_Literals, SQLiteCompiler):
    def render_literal_value(self, value: Any, type_: Any) -> str:
        if isinstance(value, bytes):
            return f"X'{value.hex()}'"
        text: str = super().render_literal_value(value, type_)
        return text


class _PostgresCompiler(_Literals, PGCompiler_asyncpg):
    def render_literal_value(self, value: Any, type_: Any) -> str:
        if isinstance(value, bytes):
            return f"'\\x{value.hex()}'::bytea"
        text: str = super().render_literal_value(value, type_)  # type: ignore[no-untyped-call]
        return text


class _SqliteDialect(SQLiteDialect_pysqlite):
    statement_compiler = _SqliteCompiler
    supports_statement_cache = False


class _PostgresDialect(PGDialect_asyncpg):
    """asyncpg's placeholders, each with the cast that its type needs."""

    statement_compiler = _PostgresCompiler
    supports_statement_cache = False


@cache
def _dialect(name: str) -> Dialect:
    if name == "sqlite":
        return _SqliteDialect(paramstyle="qmark")
    return _PostgresDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


def _compile(executable: Executable, dialect: str) -> Compiled:
    compiled: Any = executable.compile(dialect=_dialect(dialect))  # type: ignore[attr-defined]
    sql, names = str(compiled), tuple(compiled.positiontup or ())
    if "__[POSTCOMPILE" in sql:
        raise TypeError(f"a list of unknown length cannot be bound: {sql}")
    return Compiled(sql, names, _binder(names))


def _binder(names: tuple[str, ...]) -> Binder:
    if len(names) > 1:
        return itemgetter(*names)
    if names:
        (name,) = names
        return lambda values: (values[name],)
    return lambda _: ()
