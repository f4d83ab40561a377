"""From method, target, query names and headers to an operation.

A subresource we do not implement never runs the plain verb: it answers NotImplemented. Any other
query name is ignored on GET and HEAD, and refused on methods that change something.
"""

from collections.abc import Iterable, Mapping

from vexobj_s3compat.errors import InvalidArgument, MethodNotAllowed, NotImplementedYet
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.target import Target

SUBRESOURCES = frozenset(
    {
        "abac",
        "accelerate",
        "acl",
        "analytics",
        "annotation",
        "annotations",
        "append",
        "attributes",
        "cors",
        "defaultObjectAcl",
        "delete",
        "encryption",
        "intelligent-tiering",
        "inventory",
        "legal-hold",
        "lifecycle",
        "location",
        "logging",
        "metadataConfiguration",
        "metadataInventoryTable",
        "metadataJournalTable",
        "metadataTable",
        "metrics",
        "notification",
        "object-lock",
        "ownershipControls",
        "policy",
        "policyStatus",
        "publicAccessBlock",
        "renameObject",
        "replication",
        "requestPayment",
        "restore",
        "retention",
        "select",
        "session",
        "tagging",
        "torrent",
        "uploadId",
        "uploads",
        "versioning",
        "versions",
        "website",
    }
)
"""Every query name by which AWS selects an operation (Amazon S3 API Reference, "Actions")."""

_READS = frozenset({"GET", "HEAD"})
_COMMON_PARAMETERS = frozenset({"x-id"})


class Router:
    """A lookup table over operations; raises for what it does not hold."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._table: dict[tuple[str, Target, str], list[Operation]] = {}
        for operation in operations:
            row = (operation.method, operation.target, operation.subresource)
            self._table.setdefault(row, []).append(operation)
        for candidates in self._table.values():
            candidates.sort(key=lambda candidate: not (candidate.header or candidate.selector))

    def find(
        self,
        method: str,
        target: Target,
        parameters: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> Operation:
        """The operation of a request.

        Raises:
            NotImplementedYet: a subresource that this table does not have.
            MethodNotAllowed: a method that the target does not know.
            InvalidArgument: two subresources, a required parameter missing, or on a writing
                method a query name that means nothing.
        """
        subresource = _subresource(parameters) if parameters else ""
        candidates = self._table.get((method, target, subresource))
        if candidates is None:
            raise NotImplementedYet if subresource else MethodNotAllowed
        for operation in candidates:
            if (not operation.header or operation.header in headers) and (
                not operation.selector or operation.selector in parameters
            ):
                break
        else:
            raise NotImplementedYet
        if parameters or operation.required:
            _check_parameters(operation, parameters)
        return operation


def _subresource(parameters: Mapping[str, str]) -> str:
    found = SUBRESOURCES.intersection(parameters)
    if len(found) > 1:
        names = ", ".join(sorted(found))
        raise InvalidArgument(
            f"Conflicting query string parameters: {names}",
            fields={"ArgumentName": "ResourceType", "ArgumentValue": names},
        )
    return next(iter(found), "")


def _check_parameters(operation: Operation, parameters: Mapping[str, str]) -> None:
    for name in operation.required:
        if name not in parameters:
            raise InvalidArgument(
                f"This operation requires the query parameter {name}.",
                fields={"ArgumentName": name, "ArgumentValue": "null"},
            )
    if operation.method in _READS:
        return
    for name, value in parameters.items():
        if not (
            name == operation.subresource
            or name in operation.parameters
            or name in _COMMON_PARAMETERS
            or name.lower().startswith("x-amz-")
        ):
            raise InvalidArgument(
                f"This operation does not accept the query parameter {name}.",
                fields={"ArgumentName": name, "ArgumentValue": value},
            )
