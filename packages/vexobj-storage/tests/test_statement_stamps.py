"""Every statement that changes `objects` says of which key by the binds that stamps are made of.

What a store remembers of an object holds until a commit outdates the stamp of its bucket and key,
and which those are a transaction only knows from the binds `bucket_id` and `key`.
"""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator
from types import ModuleType

import pytest
from sqlalchemy import bindparam, delete, insert, literal, select, text, update

from vexobj_storage import metadata
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.statement import Statement

_CHANGE = re.compile(
    r"(?:UPDATE(?: OR \w+)?|DELETE FROM|(?:INSERT(?: OR \w+)?|REPLACE) INTO)"
    r"(?: ONLY)? (?:\w+\.)?\"?objects\"?(?![\w\"])",
    re.IGNORECASE,
)
_VALUES = re.compile(r"\bobjects \((?P<columns>[^)]*)\) VALUES \((?P<values>[^)]*)\)")


def statements() -> dict[str, Statement]:
    """All that the modules of the metadata hold, in collections too, by where they stand."""
    found: dict[str, Statement] = {}
    for module in _modules():
        for name, value in vars(module).items():
            for number, statement in enumerate(_within(value)):
                found[f"{module.__name__}.{name}[{number}]"] = statement
    return found


def _modules() -> Iterator[ModuleType]:
    for module in pkgutil.walk_packages(metadata.__path__, f"{metadata.__name__}."):
        yield importlib.import_module(module.name)


def _within(value: object) -> Iterator[Statement]:
    if isinstance(value, Statement):
        yield value
    elif isinstance(value, dict):
        yield from _within(list(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _within(part)


def changes_objects(statement: Statement) -> bool:
    return _CHANGE.search(statement.compiled("postgresql").sql) is not None


def unbound(statement: Statement) -> set[str]:
    """Which of `bucket_id` and `key` the changed rows are not bound to."""
    compiled = statement.compiled("postgresql")
    bound = set(_equalities(compiled.sql, compiled.names))
    return {"bucket_id", "key"} - bound


def _equalities(sql_text: str, names: tuple[str, ...]) -> Iterable[str]:
    """Columns that equal the bind of their own name: compared with it, or inserted from it."""
    inserted = _VALUES.search(sql_text)
    if inserted is not None:
        columns, values = (inserted[group].split(", ") for group in ("columns", "values"))
        pairs = list(zip(columns, values, strict=True))
    else:
        pairs = re.findall(r"(?<=\.)\"?(\w+)\"? = (\$\d+)", sql_text)
    for column, value in pairs:
        place = re.match(r"\$(\d+)", value)
        if place is not None and names[int(place[1]) - 1] == column:
            yield column


def test_every_change_of_an_object_binds_its_bucket_and_key() -> None:
    changing = {name: s for name, s in statements().items() if changes_objects(s)}
    assert len(changing) >= 6
    assert {name: unbound(s) for name, s in changing.items() if unbound(s)} == {}


def test_no_operation_makes_a_statement_that_no_module_holds() -> None:
    makers = {name for name, value in vars(sql).items() if inspect.isfunction(value)}
    makers -= {"matches", "bytes_bind", "listed", "packed"}
    makers = {f"sql.{name}" for name in makers} | {"Statement"}
    made = [
        f"{module.__name__}.{operation.name}"
        for module in _modules()
        for operation in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(operation, ast.AsyncFunctionDef)
        for call in ast.walk(operation)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in makers
    ]
    assert "sql.query" in makers
    assert made == []


_O = sql.OBJECTS
_BUCKET = _O.c.bucket_id == bindparam("bucket_id")


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        (sql.remove(_O, "bucket_id"), {"key"}),
        (sql.remove(_O, "uid"), {"bucket_id", "key"}),
        (sql.query(delete(_O).where(_BUCKET, _O.c.key == bindparam("name"))), {"key"}),
        (sql.query(update(_O).where(_BUCKET, _O.c.key > bindparam("key")).values(size=1)), {"key"}),
        (sql.query(update(_O).where(_BUCKET).values(key=bindparam("key"))), {"key"}),
        (
            sql.query(
                insert(_O).from_select(
                    ["bucket_id", "key"],
                    select(sql.VERSIONS.c.bucket_id, literal(b"")).where(
                        *sql.matches(sql.VERSIONS, "bucket_id")
                    ),
                )
            ),
            {"key"},
        ),
        (
            sql.query(insert(_O).values(bucket_id=bindparam("bucket_id"), key=bindparam("name"))),
            {"key"},
        ),
        (sql.query(text("UPDATE objects SET size = 0")), {"bucket_id", "key"}),
    ],
)
def test_a_change_that_binds_them_otherwise_is_found(
    statement: Statement, missing: set[str]
) -> None:
    assert changes_objects(statement)
    assert unbound(statement) == missing


def test_what_only_reads_or_changes_another_table_is_left_alone() -> None:
    assert not changes_objects(sql.exists(_O, "bucket_id"))
    assert not changes_objects(sql.remove(sql.VERSIONS, "bucket_id"))
