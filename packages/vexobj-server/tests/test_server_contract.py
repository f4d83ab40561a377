"""The contract is what the routes say, and every condition has an answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import yaml

import vexobj_server
from vexobj_auth.errors import AuthError, PresignError
from vexobj_processing.errors import ProcessingError
from vexobj_server.media.errors import MediaError
from vexobj_server.rest import objects
from vexobj_server.rest.app import openapi_document, rest_app
from vexobj_server.rest.native import NativeApp
from vexobj_server.rest.openapi import openapi_yaml
from vexobj_server.rest.raw import RawRoute
from vexobj_server.s3.errors import TABLE as S3_TABLE
from vexobj_server.services.context import Services
from vexobj_server.transfer.errors import TABLE as NATIVE_TABLE
from vexobj_storage.errors import StorageError, StoreError

ROOT = Path(__file__).parents[3]
BASES = {StorageError, StoreError, AuthError, PresignError, ProcessingError, MediaError}


def _leaves(base: type[Exception]) -> Iterator[type[Exception]]:
    if base not in BASES:
        yield base
    for child in base.__subclasses__():
        yield from _leaves(child)


@pytest.mark.parametrize(
    "leaf", [*_leaves(StorageError), *_leaves(ProcessingError), *_leaves(MediaError)]
)
def test_s3_has_an_answer_to_every_condition(leaf: type[Exception]) -> None:
    assert any(kind in S3_TABLE for kind in leaf.__mro__)


@pytest.mark.parametrize(
    "leaf",
    [
        *_leaves(StorageError),
        *_leaves(AuthError),
        *_leaves(ProcessingError),
        *_leaves(MediaError),
    ],
)
def test_the_native_api_has_an_answer_to_every_condition(leaf: type[Exception]) -> None:
    assert any(kind in NATIVE_TABLE for kind in leaf.__mro__)


def test_the_committed_contract_is_the_one_that_is_served() -> None:
    committed = ROOT / "openapi.yaml"
    assert committed.read_text(encoding="utf-8") == openapi_yaml(openapi_document()), (
        "run: vexobj openapi > openapi.yaml"
    )


def test_the_contract_reads_the_same_as_yaml_and_json() -> None:
    assert yaml.safe_load(openapi_yaml(openapi_document())) == openapi_document()


def test_schemas_have_names_that_no_language_owns() -> None:
    assert not {"Object", "Error"} & set(openapi_document()["components"]["schemas"])


def test_operation_ids_are_unique() -> None:
    ids = [
        operation["operationId"]
        for path in openapi_document()["paths"].values()
        for operation in path.values()
    ]
    assert len(ids) == len(set(ids))


def test_declared_routes_of_object_bytes_are_served_by_their_raw_endpoints() -> None:
    native = NativeApp(rest_app(), cast("Services", None))  # nothing is served
    declared = objects.router.routes
    assert declared
    for route in declared:
        assert isinstance(route, RawRoute)
        path = route.path.replace("{bucket}", "b").replace("{key:path}", "k").encode()
        for method in route.methods or ():
            assert native.raw_endpoint(method, path) is route.raw_endpoint


def test_what_the_package_offers() -> None:
    assert vexobj_server.__all__ == sorted(vexobj_server.__all__)
