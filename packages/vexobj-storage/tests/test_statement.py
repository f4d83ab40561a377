"""Statements compile to each driver's SQL, with values as literals and binds in order."""

from collections.abc import Callable

import pytest
from sqlalchemy import (
    BigInteger,
    BindParameter,
    LargeBinary,
    bindparam,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.sql.base import Executable
from sqlmodel import col

from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tables import Leases, Objects

TABLE: list[tuple[Callable[[str], Executable], str, str]] = [
    (
        lambda _: (
            select(col(Objects.key))
            .where(col(Objects.size) == 0, col(Objects.key) > bindparam("after"))
            .limit(3)
            .offset(1)
        ),
        (
            'SELECT objects."key" FROM objects WHERE objects.size = 0 AND objects."key" > ? '
            "LIMIT 3 OFFSET 1"
        ),
        (
            "SELECT objects.key FROM objects WHERE objects.size = 0 AND objects.key > $1::BYTEA "
            "LIMIT 3 OFFSET 1"
        ),
    ),
    (
        lambda _: select(literal(b"\x00'\xff", LargeBinary), literal("a'%b:c")),
        "SELECT X'0027ff' AS anon_1, 'a''%b:c' AS anon_2",
        "SELECT '\\x0027ff'::bytea AS anon_1, 'a''%b:c' AS anon_2",
    ),
    (
        lambda _: select(col(Objects.size)).limit(bindparam("limit", type_=BigInteger)),
        "SELECT objects.size FROM objects LIMIT ? OFFSET 0",
        "SELECT objects.size FROM objects LIMIT $1::BIGINT",
    ),
    (
        lambda _: select(col(Objects.size)).with_for_update(),
        "SELECT objects.size FROM objects",
        "SELECT objects.size FROM objects FOR UPDATE",
    ),
    (
        lambda _: update(Leases).values(token=col(Leases.token) + 1, holder=bindparam("who")),
        "UPDATE leases SET holder=?, token=(leases.token + 1)",
        "UPDATE leases SET holder=$1::VARCHAR, token=(leases.token + 1)",
    ),
    (
        lambda dialect: (
            insert_for(dialect, Leases)
            .values(
                name="n", holder=bindparam("who"), token=bindparam("t"), until_us=bindparam("t")
            )
            .on_conflict_do_nothing()
        ),
        (
            "INSERT INTO leases (name, holder, token, until_us) VALUES ('n', ?, ?, ?) "
            "ON CONFLICT DO NOTHING"
        ),
        (
            "INSERT INTO leases (name, holder, token, until_us) "
            "VALUES ('n', $1::VARCHAR, $2::BIGINT, $2::BIGINT) ON CONFLICT DO NOTHING"
        ),
    ),
    (lambda _: text("SELECT :a, :b"), "SELECT ?, ?", "SELECT $1, $2"),
]


@pytest.mark.parametrize(("build", "on_sqlite", "on_postgres"), TABLE)
def test_sql(build: Callable[[str], Executable], on_sqlite: str, on_postgres: str) -> None:
    statement = Statement(build)
    assert " ".join(statement.compiled("sqlite").sql.split()) == on_sqlite
    assert " ".join(statement.compiled("postgresql").sql.split()) == on_postgres


def test_binds_are_tuples_in_the_drivers_order() -> None:
    insert = Statement(TABLE[5][0])
    assert insert.compiled("sqlite").bind({"who": "a", "t": 1, "other": 2}) == ("a", 1, 1)
    assert insert.compiled("postgresql").bind({"t": 1, "who": "a"}) == ("a", 1)
    assert Statement(TABLE[0][0]).compiled("sqlite").bind({"after": b"k"}) == (b"k",)
    assert Statement(TABLE[3][0]).compiled("sqlite").bind({"after": b"k"}) == ()
    with pytest.raises(KeyError, match="t"):
        insert.compiled("sqlite").bind({"who": "a"})


def test_a_list_of_unknown_length_is_refused() -> None:
    listed = Statement(lambda _: select(col(Objects.size)).where(col(Objects.size).in_([1, 2])))
    assert "IN (1, 2)" in listed.compiled("sqlite").sql
    unknown: BindParameter[int] = bindparam("sizes", expanding=True)
    with pytest.raises(TypeError, match="unknown length"):
        Statement(
            lambda _: select(col(Objects.size)).where(col(Objects.size).in_(unknown))
        ).compiled("sqlite")
