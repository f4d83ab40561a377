"""The table of errors is complete and consistent."""

import re
from http import HTTPStatus

import pytest

from vexobj_s3compat.error_table import TABLE
from vexobj_s3compat.errors import NotImplementedYet, S3Error

LEAVES = [leaf for leaf in S3Error.__subclasses__() if leaf.__module__ == S3Error.__module__]


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_a_leaf_is_its_code(leaf: type[S3Error]) -> None:
    assert leaf.code == leaf.__name__ or leaf is NotImplementedYet
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", leaf.code)
    assert isinstance(leaf.status, HTTPStatus)
    error = leaf()
    assert error.message
    assert error.fields == error.headers == {}


def test_every_code_of_the_table_has_one_leaf() -> None:
    assert sorted(leaf.code for leaf in LEAVES) == sorted(TABLE)


def test_an_instance_carries_its_own() -> None:
    error = S3Error("why", fields={"Key": "k"}, headers={"retry-after": "1"})
    assert (str(error), error.message) == ("why", "why")
    assert error.fields == {"Key": "k"}
    assert error.headers == {"retry-after": "1"}
