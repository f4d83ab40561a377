"""Objects removed, one or a thousand at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from vexobj_s3compat.types._value import value


@dataclass(frozen=True, slots=True)
class DeleteObjectInput:
    bucket: str
    key: bytes
    version_id: str | None = None
    bypass_governance: bool = False


@dataclass(frozen=True, slots=True)
class DeleteObjectOutput:
    version_id: str | None = None
    delete_marker: bool = False


@value
class ObjectIdentifier:
    key: bytes
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteObjectsInput:
    """At most 1000; Quiet is the protocol's affair."""

    bucket: str
    objects: Sequence[ObjectIdentifier]
    bypass_governance: bool = False


@value
class DeletedEntry:
    key: bytes
    version_id: str | None = None
    delete_marker: bool = False
    delete_marker_version_id: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteErrorEntry:
    key: bytes
    version_id: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class DeleteObjectsOutput:
    results: Sequence[DeletedEntry | DeleteErrorEntry]
