"""Between the values of the S3 protocol and those of the store."""

from collections.abc import Mapping
from typing import Literal

from vexobj_auth import canned_acl
from vexobj_s3compat.types import (
    ChecksumValue,
    DefaultRetentionValue,
    ObjectHeaders,
    ObjectLockValue,
    RetentionValue,
    WriteConditions,
)
from vexobj_storage import (
    Bucket,
    Checksum,
    DefaultRetention,
    ObjectAttributes,
    ObjectLock,
    ObjectVersion,
    Retention,
    RetentionMode,
    Versioning,
    WriteCondition,
)

_ALWAYS = WriteCondition()
_MODES: Mapping[RetentionMode, Literal["GOVERNANCE", "COMPLIANCE"]] = {
    RetentionMode.GOVERNANCE: "GOVERNANCE",
    RetentionMode.COMPLIANCE: "COMPLIANCE",
}
_DEFAULT_TYPE = "application/octet-stream"


def attributes_of(
    headers: ObjectHeaders,
    owner_id: str,
    *,
    acl: str | None = None,
    tags: Mapping[str, str] | None = None,
    checksum: Checksum | None = None,
) -> ObjectAttributes:
    """`acl` is a canned one's name; None for the owner alone."""
    return ObjectAttributes(
        content_type=headers.content_type or _DEFAULT_TYPE,
        headers=headers.headers,
        metadata=headers.metadata,
        owner_id=owner_id,
        acl=None if acl is None else canned_acl(acl),
        tags=tags or {},
        checksum=checksum,
    )


def headers_of(attributes: ObjectAttributes) -> ObjectHeaders:
    return ObjectHeaders(attributes.content_type, attributes.headers, attributes.metadata)


def acl_text(canned: str) -> str:
    """What the store keeps of a canned ACL that is set; never None, which would change nothing."""
    return canned_acl(canned) or ""


def checksum_of(proved: tuple[str, str] | None) -> Checksum | None:
    return None if proved is None else Checksum(*proved)


def condition_of(conditions: WriteConditions) -> WriteCondition:
    if conditions.if_match is None and conditions.if_none_match is None:
        return _ALWAYS
    return WriteCondition(conditions.if_match, conditions.if_none_match is not None)


def checksum_value(checksum: Checksum | None) -> ChecksumValue | None:
    if checksum is None:
        return None
    return ChecksumValue(checksum.algorithm, checksum.value, checksum.composite)


def retention_of(value: RetentionValue | None) -> Retention | None:
    return None if value is None else Retention(RetentionMode[value.mode], value.retain_until)


def lock_value(lock: ObjectLock) -> ObjectLockValue | None:
    """None for a version that nobody ever locked."""
    retention = lock.retention
    if retention is None:
        return None if lock.legal_hold is None else ObjectLockValue(None, lock.legal_hold)
    value = RetentionValue(_MODES[retention.mode], retention.until)
    return ObjectLockValue(value, lock.legal_hold)


def default_retention_of(value: DefaultRetentionValue | None) -> DefaultRetention | None:
    if value is None:
        return None
    return DefaultRetention(RetentionMode[value.mode], value.days, value.years)


def default_retention_value(default: DefaultRetention | None) -> DefaultRetentionValue | None:
    if default is None:
        return None
    return DefaultRetentionValue(_MODES[default.mode], default.days, default.years)


def visible_version(bucket: Bucket, version: ObjectVersion) -> str | None:
    """A bucket that never had versions answers without a version id."""
    return None if bucket.versioning is Versioning.OFF else version.version_id
