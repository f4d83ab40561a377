"""Whether an S3 service can keep a store's blobs, asked before anything depends on it.

Of each prefix one store is the owner: it would take another one's blobs for orphans.
"""

from typing import Any

from vexobj_storage.blobs.service import Refusal, S3BlobConfig, S3Service
from vexobj_storage.errors import BlobServiceUnusable

_OWNER = "vexobj-owner"
_PROBE = "vexobj-probe"
_ATTEMPTS = 2


async def check(service: S3Service, store_id: str | None) -> None:
    """Can it be reached, listed and read, and is it nobody else's? Changes nothing.

    Without a `store_id` the owner may be any.

    Raises: BlobServiceUnusable.
    """
    await _ask(service, "list_objects_v2", {"Prefix": service.config.prefix, "MaxKeys": 1}, "list")
    owner = await _owner(service)
    if store_id is not None and owner not in {None, store_id}:
        raise _owned(service.config)


async def claim(service: S3Service, store_id: str) -> None:
    """As `check`, and can it be written? Makes the store the prefix's owner, if there is none.

    Raises: BlobServiceUnusable.
    """
    await check(service, store_id)
    key = {"Key": f"{service.config.prefix}{_PROBE}"}
    await _ask(service, "put_object", key, "write")
    await _ask(service, "delete_object", key, "delete")
    mark = {"Key": f"{service.config.prefix}{_OWNER}", "Body": _body(store_id)}
    try:
        await service.call("put_object", {**mark, "IfNoneMatch": "*"}, attempts=_ATTEMPTS)
    except Refusal as refusal:
        if refusal.status == 501:
            await _ask(service, "put_object", mark, "write")
        elif refusal.status not in {409, 412}:
            raise unusable(service.config, refusal, "write") from refusal
    if await _owner(service) != store_id:
        raise _owned(service.config)


async def keeps_versions(service: S3Service) -> bool:
    """Whether deleting frees nothing there. False where the service does not tell."""
    try:
        answer = await service.call("get_bucket_versioning", {}, attempts=1)
    except Refusal:
        return False
    return answer.get("Status") == "Enabled"


def unusable(config: S3BlobConfig, refusal: Refusal, verb: str) -> BlobServiceUnusable:
    """What an operator has to look at when the service refuses to `verb`."""
    # Services spell `Id` and `ID`.
    setting, reason = _SENTENCES.get(refusal.code.lower()) or _by_status(refusal)
    told = {"verb": verb, "endpoint": config.endpoint, "bucket": config.bucket, "said": refusal}
    return BlobServiceUnusable(setting, reason.format(key=config.access_key_id, **told))


_REGION = ("region", "the service wants another one ({said})")
_SENTENCES = {
    "connectionfailed": ("endpoint", "{endpoint} cannot be reached ({said})"),
    "noanswer": ("endpoint", "{endpoint} does not answer in time"),
    "tls": ("endpoint", "{endpoint} has a certificate that is not trusted here ({said})"),
    "nots3": ("endpoint", "{endpoint} does not answer as an S3 service"),
    "invalidrequest": ("endpoint", "{endpoint} with bucket {bucket} cannot be asked ({said})"),
    "nosuchbucket": ("bucket", "there is no bucket {bucket} at {endpoint}; make it first"),
    "invalidbucketname": ("bucket", "{bucket} is no name that the service takes"),
    "nocredentials": ("access_key_id", "there is none, and the environment has no credentials"),
    "invalidaccesskeyid": ("access_key_id", "the service does not know {key}"),
    "xadminusernotfound": ("access_key_id", "the service does not know {key}"),
    "signaturedoesnotmatch": ("secret_access_key", "it is not the one of access key {key}"),
    "requesttimetooskewed": ("clock", "this machine's and the service's are too far apart"),
    "authorizationheadermalformed": _REGION,
    "illegallocationconstraintexception": _REGION,
    "permanentredirect": _REGION,
}  # fmt: skip


def _by_status(refusal: Refusal) -> tuple[str, str]:
    if refusal.code.isdecimal():
        return "endpoint", "{endpoint} does not answer as an S3 service (status {said})"
    if refusal.status == 403:
        return "access_key_id", "{key} may not {verb} in bucket {bucket} ({said})"
    return "endpoint", "{endpoint} refuses to {verb} in bucket {bucket} ({said})"


async def _ask(
    service: S3Service, operation: str, parameters: dict[str, Any], verb: str
) -> dict[str, Any]:
    try:
        return await service.call(operation, parameters, attempts=_ATTEMPTS)
    except Refusal as refusal:
        raise unusable(service.config, refusal, verb) from refusal


async def _owner(service: S3Service) -> str | None:
    try:
        key = {"Key": f"{service.config.prefix}{_OWNER}"}
        answer = await service.call("get_object", key, attempts=_ATTEMPTS)
    except Refusal as refusal:
        if refusal.missing:
            return None
        raise unusable(service.config, refusal, "read") from refusal
    async with answer["Body"]:
        mark: bytes = await answer["Body"].read(256)
    return mark.decode(errors="replace").strip()


def _owned(config: S3BlobConfig) -> BlobServiceUnusable:
    where = f"{config.bucket}/{config.prefix}"
    return BlobServiceUnusable(
        "prefix",
        f"{where} holds the blobs of another store; choose another prefix, or delete"
        f" {where}{_OWNER} if that store is no more",
    )


def _body(text: str) -> Any:
    from io import BytesIO

    return BytesIO(text.encode())
