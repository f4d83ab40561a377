"""Routing: every operation is reached, every other subresource is refused."""

import itertools

import pytest

from vexobj_s3compat import S3Backend
from vexobj_s3compat.errors import InvalidArgument, MethodNotAllowed, NotImplementedYet, S3Error
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations import OPERATIONS
from vexobj_s3compat.router import SUBRESOURCES, Router
from vexobj_s3compat.target import Target

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
ROUTER = Router(OPERATIONS)


def example(operation: Operation) -> tuple[dict[str, str], dict[str, str]]:
    """The least query and headers that select an operation."""
    names = (operation.subresource, operation.selector, *operation.required)
    headers = {operation.header: "x"} if operation.header else {}
    return {name: "1" for name in names if name}, headers


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_is_reached(operation: Operation) -> None:
    parameters, headers = example(operation)
    found = ROUTER.find(operation.method, operation.target, parameters, headers)
    assert found is operation
    signed = {**parameters, "X-Amz-Signature": "x", "x-id": operation.name}
    assert ROUTER.find(operation.method, operation.target, signed, headers) is operation


def test_names_are_unique_and_known_to_the_backend() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert all(hasattr(S3Backend, operation.backend) for operation in OPERATIONS)


@pytest.mark.parametrize("target", [Target.BUCKET, Target.OBJECT])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("subresource", sorted(SUBRESOURCES))
def test_a_subresource_never_runs_the_plain_verb(
    subresource: str, method: str, target: Target
) -> None:
    known = {
        operation.name
        for operation in OPERATIONS
        if (operation.method, operation.target, operation.subresource)
        == (method, target, subresource)
    }
    try:
        found = ROUTER.find(method, target, {subresource: "", "partNumber": "1"}, {})
    except NotImplementedYet:
        assert not known
    except InvalidArgument:
        assert known
    else:
        assert found.name in known


@pytest.mark.parametrize(
    ("method", "parameters", "expected"),
    [
        ("GET", {"1700000000": "", "fbclid": "x", "w": "300"}, "GetObject"),
        ("HEAD", {"anything": "x"}, "HeadObject"),
        ("PUT", {"x-id": "PutObject"}, "PutObject"),
        ("PUT", {"X-Amz-Expires": "60"}, "PutObject"),
        ("PUT", {"versionId": "1"}, InvalidArgument),
        ("DELETE", {"versionId": "1"}, "DeleteObject"),
        ("DELETE", {"fbclid": "x"}, InvalidArgument),
        ("PUT", {"acl": "", "fbclid": "x"}, InvalidArgument),
        ("POST", {}, MethodNotAllowed),
        ("PATCH", {}, MethodNotAllowed),
        ("GET", {"acl": "", "tagging": ""}, InvalidArgument),
        ("PUT", {"uploadId": "x"}, InvalidArgument),
    ],
)
def test_query_names(
    method: str, parameters: dict[str, str], expected: str | type[S3Error]
) -> None:
    if isinstance(expected, str):
        assert ROUTER.find(method, Target.OBJECT, parameters, {}).name == expected
    else:
        with pytest.raises(expected):
            ROUTER.find(method, Target.OBJECT, parameters, {})


def test_the_copy_header_selects_the_copy() -> None:
    headers = {"x-amz-copy-source": "b/k"}
    assert ROUTER.find("PUT", Target.OBJECT, {}, headers).name == "CopyObject"
    part = {"uploadId": "u", "partNumber": "1"}
    assert ROUTER.find("PUT", Target.OBJECT, part, headers).name == "UploadPartCopy"
    assert ROUTER.find("PUT", Target.OBJECT, part, {}).name == "UploadPart"


def test_the_service_knows_one_operation() -> None:
    assert ROUTER.find("GET", Target.SERVICE, {}, {}).name == "ListBuckets"
    for method, name in itertools.product(("PUT", "POST", "DELETE"), ("", "acl")):
        with pytest.raises((MethodNotAllowed, NotImplementedYet)):
            ROUTER.find(method, Target.SERVICE, {name: ""} if name else {}, {})
