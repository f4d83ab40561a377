"""The S3 protocol's backend over the object store: all groups of operations as one."""

from collections.abc import Awaitable, Callable
from typing import Any

from vexobj_auth import Action
from vexobj_s3compat import Caller, Request
from vexobj_s3compat.operations import OPERATIONS
from vexobj_server.s3.base import OperationGroup
from vexobj_server.s3.buckets import BucketOperations
from vexobj_server.s3.errors import FORESEEN, translate
from vexobj_server.s3.lifecycle import LifecycleOperations
from vexobj_server.s3.listings import ListingOperations
from vexobj_server.s3.locks import LockOperations
from vexobj_server.s3.multipart import MultipartOperations
from vexobj_server.s3.objects import ObjectOperations

Operation = Callable[[Request[Any]], Awaitable[Any]]

_LARGE_DOCUMENTS = {
    "DeleteObjects": Action.DELETE_OBJECT,
    "CompleteMultipartUpload": Action.WRITE_OBJECT,
}


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
        for name in {operation.backend for operation in OPERATIONS}:
            setattr(self, name, _worded(getattr(self, name)))

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
