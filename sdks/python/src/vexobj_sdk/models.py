"""The values of the native API, as the contract has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Anyone may read the objects of a public bucket."""

    id: str
    name: str
    created_at: datetime
    public: bool

    @classmethod
    def parse(cls, data: Json) -> "Bucket":
        created = datetime.fromisoformat(data["created_at"])
        return cls(str(data["id"]), data["name"], created, data["public"])


@dataclass(frozen=True, slots=True)
class ObjectMeta:
    """An object without its bytes; `sha256` is hex, None while it is not known."""

    bucket: str
    key: str
    size: int
    content_type: str
    sha256: str | None
    created_at: datetime
    updated_at: datetime
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: Json) -> "ObjectMeta":
        return cls(
            bucket=data["bucket"],
            key=data["key"],
            size=data["size"],
            content_type=data["content_type"],
            sha256=data["sha256"],
            created_at=datetime.fromisoformat(data["created_at"]),
            updated_at=datetime.fromisoformat(data["updated_at"]),
            metadata=data.get("metadata") or {},
        )


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """One page of a listing; `next_token` asks for the next, None on the last."""

    objects: Sequence[ObjectMeta]
    common_prefixes: Sequence[str]
    next_token: str | None

    @classmethod
    def parse(cls, data: Json) -> "ObjectPage":
        return cls(
            objects=[ObjectMeta.parse(item) for item in data["objects"]],
            common_prefixes=data["common_prefixes"],
            next_token=data["next_continuation_token"],
        )


@dataclass(frozen=True, slots=True)
class Permissions:
    """`admin` implies the others."""

    read: bool = True
    write: bool = True
    delete: bool = False
    admin: bool = False


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`buckets` None means all buckets."""

    id: str
    name: str
    permissions: Permissions
    buckets: Sequence[str] | None
    created_at: datetime

    @classmethod
    def parse(cls, data: Json) -> "ApiKey":
        access = data["bucket_access"]
        return cls(
            id=data["id"],
            name=data["name"],
            permissions=Permissions(**data["permissions"]),
            buckets=access["buckets"] if access["type"] == "specific" else None,
            created_at=datetime.fromisoformat(data["created_at"]),
        )


@dataclass(frozen=True, slots=True)
class CreatedApiKey:
    """The only moment at which the secret is known: it is the bearer token too."""

    key: ApiKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BucketStats:
    name: str
    objects: int
    size: int


@dataclass(frozen=True, slots=True)
class Stats:
    """What the server holds, in objects and bytes."""

    buckets: int
    total_objects: int
    total_size: int
    version: str
    bucket_details: Sequence[BucketStats]

    @classmethod
    def parse(cls, data: Json) -> "Stats":
        details = [
            BucketStats(item["name"], item["objects"], item["size"])
            for item in data["bucket_details"]
        ]
        return cls(
            data["buckets"], data["total_objects"], data["total_size"], data["version"], details
        )
