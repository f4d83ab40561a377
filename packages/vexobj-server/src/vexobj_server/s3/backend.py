"""The S3 protocol's backend over the object store: all groups of operations as one."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from vexobj_auth import Action
from vexobj_s3compat import Caller, Request
from vexobj_s3compat.operations import OPERATIONS
from vexobj_s3compat.types import DeleteObjectsInput, ObjectIdentifier
from vexobj_server.s3.base import OperationGroup
from vexobj_server.s3.buckets import BucketOperations
from vexobj_server.s3.errors import FORESEEN, translate
from vexobj_server.s3.lifecycle import LifecycleOperations
from vexobj_server.s3.listings import ListingOperations
from vexobj_server.s3.locks import LockOperations
from vexobj_server.s3.multipart import MultipartOperations
from vexobj_server.s3.objects import ObjectOperations
from vexobj_server.services.audit import ACTIONS, OBJECT_DELETE, VERSION_DELETE, target_of
from vexobj_storage import set_entry

Operation = Callable[[Request[Any]], Awaitable[Any]]

_LARGE_DOCUMENTS = {
    "DeleteObjects": Action.DELETE_OBJECT,
    "CompleteMultipartUpload": Action.WRITE_OBJECT,
}

_NOTHING: Mapping[str, Any] = {}


class VexObjBackend(
    BucketOperations,
    LifecycleOperations,
    ListingOperations,
    ObjectOperations,
    MultipartOperations,
    LockOperations,
    OperationGroup,
):
    """Every operation notes who asked for what, and words what the store says as S3 does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for operation in OPERATIONS:
            method = _worded(getattr(type(self), operation.backend).__get__(self))
            if operation.name in ACTIONS:
                method = self._audited(method)
            setattr(self, operation.backend, method)

    def _audited(self, operation: Operation) -> Operation:
        """What is written within is recorded as the caller's."""

        async def call(request: Request[Any]) -> Any:
            given = request.input
            self._audit.begin(
                request.scope["state"],
                self._principal(request),
                _action(request.operation, given),
                target_of(given.bucket, getattr(given, "key", None)),
                _details(given),
            )
            try:
                return await operation(request)
            finally:
                set_entry(None)

        return call

    async def admit(self, operation: str, bucket: str, caller: Caller) -> None:
        """Strangers shall not make us read and parse megabytes."""
        action = _LARGE_DOCUMENTS.get(operation)
        if action is None:
            return
        try:
            self._access.require(self._acting(caller), action, await self._store.bucket(bucket))
        except FORESEEN as error:
            raise translate(error) from error


def _worded(operation: Operation) -> Operation:
    async def call(request: Request[Any]) -> Any:
        state = request.scope["state"]
        state["operation"] = request.operation
        state["access_key_id"] = request.caller.access_key_id
        try:
            return await operation(request)
        except FORESEEN as error:
            raise translate(error) from error

    return call


def _action(operation: str, given: Any) -> str:
    action = ACTIONS[operation]
    is_version = action is OBJECT_DELETE and getattr(given, "version_id", None) is not None
    return VERSION_DELETE if is_version else action


def _details(given: Any) -> Mapping[str, Any]:
    """What the input says beside bucket and key that tells later what was done."""
    if isinstance(given, DeleteObjectsInput):
        return {"keys": [_name(each) for each in given.objects]}
    version_id = getattr(given, "version_id", None)
    return _NOTHING if version_id is None else {"version_id": version_id}


def _name(given: ObjectIdentifier) -> str | list[str]:
    key = given.key.decode("utf-8", "replace")
    return key if given.version_id is None else [key, given.version_id]
