"""The schema: one definition, migrated by Alembic, read by the statements.

Columns are INTEGER (times in microseconds since 1970, flags 0 or 1), BLOB and TEXT only. Ids and
keys are BLOBs: S3 orders keys by bytes. What is written at every request has a composite key and
no rowid, so that a listing reads one run of pages. Tables of large rows have one: where there is
none, SQLite reads whole rows to compare their keys.

`objects` holds the current version of every live key; `versions` what is noncurrent, and all
delete markers. A key with rows in `versions` has a row in `key_heads`, which a transaction locks
before it reads or writes `versions` for that key. There is no is_latest column: of one key, the
highest `sequence` is the latest.
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, SmallInteger, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class _Table(SQLModel, registry=registry()):
    """Keeps this schema apart from SQLModel's global one, to which any program may add."""


metadata: MetaData = _Table.metadata


def _integer(*, key: bool = False, null: bool = False) -> Column[int]:
    return Column(BigInteger, primary_key=key, nullable=null, autoincrement=False)


def _number_from_revision() -> Column[int]:
    """Of a later revision: 0 in the rows that were there before."""
    return Column(BigInteger, nullable=False, autoincrement=False, server_default="0")


def _small(*, key: bool = False, null: bool = False) -> Column[int]:
    return Column(SmallInteger, primary_key=key, nullable=null, autoincrement=False)


def _flag() -> Column[int]:
    """A small number that rows written before it existed have as 0."""
    return Column(SmallInteger, nullable=False, server_default="0")


def _bytes(*, key: bool = False, null: bool = False) -> Column[bytes]:
    return Column(LargeBinary, primary_key=key, nullable=null)


def _text(*, key: bool = False, null: bool = False, unique: bool = False) -> Column[str]:
    """Names by which rows are ordered compare by bytes, whatever PostgreSQL's locale is."""
    ordered = Text().with_variant(Text(collation="C"), "postgresql") if key or unique else Text()
    return Column(ordered, primary_key=key, nullable=null, unique=unique)


_CLUSTERED = {"sqlite_with_rowid": False}


class Counters(_Table, table=True):
    """Numbers that only grow (`bucket`, `epoch`); one row a name, changed under its lock."""

    __tablename__ = "counters"
    __table_args__ = _CLUSTERED
    name: str = Field(sa_column=_text(key=True))
    value: int = Field(sa_column=_integer())


class Identities(_Table, table=True):
    __tablename__ = "identities"
    __table_args__ = _CLUSTERED
    id: str = Field(sa_column=_text(key=True))
    display_name: str = Field(sa_column=_text())
    email: str | None = Field(sa_column=_text(null=True))
    created_us: int = Field(sa_column=_integer())


class AccessKeys(_Table, table=True):
    """`secret_lookup` is a keyed hash of the secret: a bearer token is found by it."""

    __tablename__ = "access_keys"
    __table_args__ = (
        Index("access_keys_lookup", "secret_lookup", unique=True),
        Index("access_keys_identity", "identity_id"),
        _CLUSTERED,
    )
    access_key_id: str = Field(sa_column=_text(key=True))
    identity_id: str = Field(sa_column=_text())
    name: str = Field(sa_column=_text())
    sealed_secret: bytes = Field(sa_column=_bytes())
    secret_lookup: bytes = Field(sa_column=_bytes())
    permissions: int = Field(sa_column=_integer())
    buckets: str | None = Field(sa_column=_text(null=True))
    created_us: int = Field(sa_column=_integer())
    expires_us: int | None = Field(sa_column=_integer(null=True))
    last_used_us: int | None = Field(sa_column=_integer(null=True))


class Buckets(_Table, table=True):
    """`acl` and `settings` are the caller's text; `settings` is a JSON object.

    `object_lock` is NULL without object lock, else a JSON object with its default retention.
    The quota columns are what holds, NULL being no limit: the store's default unless `quota_own`.
    """

    __tablename__ = "buckets"
    __table_args__ = (Index("buckets_owner", "owner_id", "name"),)
    id: int = Field(sa_column=_integer(key=True))
    name: str = Field(sa_column=_text(unique=True))
    owner_id: str = Field(sa_column=_text())
    created_us: int = Field(sa_column=_integer())
    public: int = Field(sa_column=_small())
    versioning: int = Field(sa_column=_small())
    acl: str | None = Field(sa_column=_text(null=True))
    settings: str = Field(sa_column=_text())
    object_lock: str | None = Field(sa_column=_text(null=True))
    quota_bytes: int | None = Field(sa_column=_integer(null=True))
    quota_objects: int | None = Field(sa_column=_integer(null=True))
    quota_own: int = Field(sa_column=_flag())


class HostAliases(_Table, table=True):
    """The `host_aliases` of all buckets' settings: a host name leads to one bucket at most."""

    __tablename__ = "host_aliases"
    __table_args__ = _CLUSTERED
    host: str = Field(sa_column=_text(key=True))
    bucket_id: int = Field(sa_column=_integer())


class _Version(_Table):
    """What a version says of itself, in `objects` and in `versions` alike.

    `headers_metadata` is a JSON object {"h": headers, "m": metadata, "c": checksum} or NULL when
    all are empty; `tags` a JSON object or NULL. `is_null` marks S3's "null" version; otherwise
    the version id is the UUID form of `uid`. Lock columns: mode 1 governance, 2 compliance; hold
    0 never said, 1 on, 2 off.
    """

    uid: bytes = Field(sa_type=LargeBinary)
    is_null: int = Field(sa_type=SmallInteger)
    size: int = Field(sa_type=BigInteger)
    etag: str = Field(sa_type=Text)
    sha256: bytes | None = Field(sa_type=LargeBinary)
    created_us: int = Field(sa_type=BigInteger)
    modified_us: int = Field(sa_type=BigInteger)
    owner_id: str = Field(sa_type=Text)
    content_type: str = Field(sa_type=Text)
    headers_metadata: str | None = Field(sa_type=Text)
    acl: str | None = Field(sa_type=Text)
    tags: str | None = Field(sa_type=Text)
    blob_id: bytes | None = Field(sa_type=LargeBinary)
    manifest_id: bytes | None = Field(sa_type=LargeBinary)
    parts_count: int | None = Field(sa_type=BigInteger)
    lock_mode: int | None = Field(sa_type=SmallInteger)
    retain_until_us: int | None = Field(sa_type=BigInteger)
    legal_hold: int = Field(sa_type=SmallInteger)


class Objects(_Version, table=True):
    """The current version of each live key: what GET reads and listings walk."""

    __tablename__ = "objects"
    __table_args__ = _CLUSTERED
    bucket_id: int = Field(sa_column=_integer(key=True))
    key: bytes = Field(sa_column=_bytes(key=True))
    sequence: int = Field(sa_column=_integer())


class Versions(_Version, table=True):
    """Noncurrent versions and all delete markers; newest first: `descending` = 2^63-1-sequence."""

    __tablename__ = "versions"
    __table_args__ = _CLUSTERED
    bucket_id: int = Field(sa_column=_integer(key=True))
    key: bytes = Field(sa_column=_bytes(key=True))
    descending: int = Field(sa_column=_integer(key=True))
    is_delete_marker: int = Field(sa_column=_small())


class KeyHeads(_Table, table=True):
    """The lock of a key that has a history, and the last sequence given to it."""

    __tablename__ = "key_heads"
    __table_args__ = _CLUSTERED
    bucket_id: int = Field(sa_column=_integer(key=True))
    key: bytes = Field(sa_column=_bytes(key=True))
    sequence: int = Field(sa_column=_integer())


class Blobs(_Table, table=True):
    """`state` 0 live, 1 condemned, 2 in quarantine; `location` as types.Location.

    `stored_size` is on its medium.
    `key_id` is the root key that it is sealed under, 0 for none. A blob is shared by a new writer
    only on equal (sha256, size, key_id) and state 0.
    """

    __tablename__ = "blobs"
    __table_args__ = (Index("blobs_sha256", "sha256"), _CLUSTERED)
    blob_id: bytes = Field(sa_column=_bytes(key=True))
    size: int = Field(sa_column=_integer())
    stored_size: int = Field(sa_column=_integer())
    sha256: bytes = Field(sa_column=_bytes())
    location: int = Field(sa_column=_small())
    key_id: int = Field(sa_column=_number_from_revision())
    state: int = Field(sa_column=_small())
    created_us: int = Field(sa_column=_integer())
    condemned_us: int | None = Field(sa_column=_integer(null=True))


class Findings(_Table, table=True):
    """Blobs that scrub could not find as they were put: `damage` as types.Damage.

    `quarantined` is 1 where the blob was put in quarantine for it, `traced` once its places are
    known.
    """

    __tablename__ = "findings"
    __table_args__ = _CLUSTERED
    blob_id: bytes = Field(sa_column=_bytes(key=True))
    damage: int = Field(sa_column=_small())
    quarantined: int = Field(sa_column=_small())
    traced: int = Field(sa_column=_small())
    found_us: int = Field(sa_column=_integer())
    reason: str = Field(sa_column=_text())


class FindingPlaces(_Table, table=True):
    """The versions that have a finding's bytes, when it was traced, and uploads under way.

    `uid` is the version's, or the upload's id where `is_upload` is 1.
    """

    __tablename__ = "finding_places"
    __table_args__ = _CLUSTERED
    blob_id: bytes = Field(sa_column=_bytes(key=True))
    bucket_id: int = Field(sa_column=_integer(key=True))
    key: bytes = Field(sa_column=_bytes(key=True))
    uid: bytes = Field(sa_column=_bytes(key=True))
    is_null: int = Field(sa_column=_small())
    is_upload: int = Field(sa_column=_small())


class RootKeys(_Table, table=True):
    """What blobs are sealed under, each wrapped by the operator's master key; none is ever removed.

    New content is sealed under the one with the highest `key_id`.
    """

    __tablename__ = "root_keys"
    __table_args__ = _CLUSTERED
    key_id: int = Field(sa_column=_integer(key=True))
    master_key_id: str = Field(sa_column=_text())
    wrapped: bytes = Field(sa_column=_bytes())
    created_us: int = Field(sa_column=_integer())


class InlineBlobs(_Table, table=True):
    __tablename__ = "inline_blobs"
    blob_id: bytes = Field(sa_column=_bytes(key=True))
    data: bytes = Field(sa_column=_bytes())


class BlobRefs(_Table, table=True):
    """One row a reference: `referrer` is a version's uid, or an upload id with a part number."""

    __tablename__ = "blob_refs"
    __table_args__ = _CLUSTERED
    blob_id: bytes = Field(sa_column=_bytes(key=True))
    referrer: bytes = Field(sa_column=_bytes(key=True))


class Manifests(_Table, table=True):
    """The segments of a completed upload, immutable: `layout` is packed by metadata/layout.py.

    Its id is the upload's. Copies of the object share it.
    """

    __tablename__ = "manifests"
    manifest_id: bytes = Field(sa_column=_bytes(key=True))
    size: int = Field(sa_column=_integer())
    parts_count: int = Field(sa_column=_integer())
    layout: bytes = Field(sa_column=_bytes())


class ManifestRefs(_Table, table=True):
    __tablename__ = "manifest_refs"
    __table_args__ = _CLUSTERED
    manifest_id: bytes = Field(sa_column=_bytes(key=True))
    referrer: bytes = Field(sa_column=_bytes(key=True))


class Uploads(_Table, table=True):
    """Open multipart uploads, and completed ones until their leavings are gone.

    `state` 0 open, 1 completed, 2 aborted. A completed one remembers `etag`, `version_uid` and
    `named_parts` (a digest of the completion's part list), so that a repeated completion answers
    as the first did. `object_lock` is what its object will be locked with: [mode, time, hold].
    """

    __tablename__ = "uploads"
    __table_args__ = (
        Index("uploads_id", "upload_id", unique=True),
        Index("uploads_state", "state", "changed_us"),
        _CLUSTERED,
    )
    bucket_id: int = Field(sa_column=_integer(key=True))
    key: bytes = Field(sa_column=_bytes(key=True))
    upload_id: bytes = Field(sa_column=_bytes(key=True))
    state: int = Field(sa_column=_small())
    created_us: int = Field(sa_column=_integer())
    changed_us: int = Field(sa_column=_integer())
    owner_id: str = Field(sa_column=_text())
    content_type: str = Field(sa_column=_text())
    headers_metadata: str | None = Field(sa_column=_text(null=True))
    acl: str | None = Field(sa_column=_text(null=True))
    tags: str | None = Field(sa_column=_text(null=True))
    checksum_algorithm: str | None = Field(sa_column=_text(null=True))
    checksum_composite: int = Field(sa_column=_small())
    etag: str | None = Field(sa_column=_text(null=True))
    version_uid: bytes | None = Field(sa_column=_bytes(null=True))
    named_parts: bytes | None = Field(sa_column=_bytes(null=True))
    object_lock: str | None = Field(sa_column=_text(null=True))


class Parts(_Table, table=True):
    """The parts of an upload; they stay as long as a version uses their manifest.

    `segments` is packed by metadata/layout.py: usually one whole blob, several for a copied
    range. A part sent again replaces its row.
    """

    __tablename__ = "parts"
    __table_args__ = _CLUSTERED
    upload_id: bytes = Field(sa_column=_bytes(key=True))
    part_number: int = Field(sa_column=_integer(key=True))
    size: int = Field(sa_column=_integer())
    etag: str = Field(sa_column=_text())
    checksum: str | None = Field(sa_column=_text(null=True))
    modified_us: int = Field(sa_column=_integer())
    segments: bytes = Field(sa_column=_bytes())


class GcQueue(_Table, table=True):
    """What may have become garbage: see metadata/ops/gc.py for `kind` and what is done when."""

    __tablename__ = "gc_queue"
    __table_args__ = _CLUSTERED
    due_us: int = Field(sa_column=_integer(key=True))
    kind: int = Field(sa_column=_small(key=True))
    id: bytes = Field(sa_column=_bytes(key=True))


class Usage(_Table, table=True):
    """Folded usage of a bucket; the truth is this row plus its deltas.

    `told_percent` is the threshold of its quota that was last told to have been reached.
    """

    __tablename__ = "usage"
    __table_args__ = _CLUSTERED
    bucket_id: int = Field(sa_column=_integer(key=True))
    objects: int = Field(sa_column=_integer())
    bytes: int = Field(sa_column=_integer())
    noncurrent_objects: int = Field(sa_column=_integer())
    noncurrent_bytes: int = Field(sa_column=_integer())
    upload_bytes: int = Field(sa_column=_integer())
    told_percent: int = Field(sa_column=_flag())


class UsageDeltas(_Table, table=True):
    """One appended row a change, so that no counter row is hot; folded in the background.

    A bucket with a quota has none: what may be refused is counted in its row of `usage`.
    """

    __tablename__ = "usage_deltas"
    __table_args__ = _CLUSTERED
    bucket_id: int = Field(sa_column=_integer(key=True))
    id: bytes = Field(sa_column=_bytes(key=True))
    objects: int = Field(sa_column=_integer())
    bytes: int = Field(sa_column=_integer())
    noncurrent_objects: int = Field(sa_column=_integer())
    noncurrent_bytes: int = Field(sa_column=_integer())
    upload_bytes: int = Field(sa_column=_integer())


class AuditLog(_Table, table=True):
    """Who changed what, a row in the transaction of the change; the id is `at_us` and `nonce`.

    Rows are only ever added at the end: there is no other index, which each write would pay for.
    """

    __tablename__ = "audit_log"
    __table_args__ = _CLUSTERED
    at_us: int = Field(sa_column=_integer(key=True))
    nonce: int = Field(sa_column=_integer(key=True))
    action: str = Field(sa_column=_text())
    target: str = Field(sa_column=_text())
    access_key_id: str | None = Field(sa_column=_text(null=True))
    identity_id: str | None = Field(sa_column=_text(null=True))
    actor: str | None = Field(sa_column=_text(null=True))
    address: str = Field(sa_column=_text())
    request_id: str = Field(sa_column=_text())
    details: str | None = Field(sa_column=_text(null=True))


class Subscribers(_Table, table=True):
    """Who reads the outbox; `cursor` is the last number that it has done with."""

    __tablename__ = "subscribers"
    __table_args__ = _CLUSTERED
    name: str = Field(sa_column=_text(key=True))
    cursor: int = Field(sa_column=_integer())


class Outbox(_Table, table=True):
    """Changes for subscribers, written in the transaction of the change; numbered afterwards."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_number", "number"), _CLUSTERED)
    id: bytes = Field(sa_column=_bytes(key=True))
    number: int | None = Field(sa_column=_integer(null=True))
    created_us: int = Field(sa_column=_integer())
    kind: str = Field(sa_column=_text())
    bucket_id: int | None = Field(sa_column=_integer(null=True))
    key: bytes | None = Field(sa_column=_bytes(null=True))
    sequence: int | None = Field(sa_column=_integer(null=True))
    payload: str = Field(sa_column=_text())


class Webhooks(_Table, table=True):
    """Who is told of events by HTTP; `events` is a JSON list of patterns."""

    __tablename__ = "webhooks"
    __table_args__ = _CLUSTERED
    id: str = Field(sa_column=_text(key=True))
    url: str = Field(sa_column=_text())
    events: str = Field(sa_column=_text())
    bucket: str | None = Field(sa_column=_text(null=True))
    prefix: str = Field(sa_column=_text())
    sealed_secret: bytes | None = Field(sa_column=_bytes(null=True))
    enabled: int = Field(sa_column=_small())
    from_settings: int = Field(sa_column=_small())
    created_us: int = Field(sa_column=_integer())


class Deliveries(_Table, table=True):
    """One event for one webhook, of which `number` is the outbox's; a copy, which outlives it.

    `state` as webhooks.DeliveryState; `when_us` is when it is due, while it is being sent when it
    is due again, and of one that is done with when that was.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("deliveries_state", "webhook_id", "state", "when_us", "created_us"),
        _CLUSTERED,
    )
    webhook_id: str = Field(sa_column=_text(key=True))
    number: int = Field(sa_column=_integer(key=True))
    state: int = Field(sa_column=_small())
    when_us: int = Field(sa_column=_integer())
    attempts: int = Field(sa_column=_integer())
    event_id: bytes = Field(sa_column=_bytes())
    created_us: int = Field(sa_column=_integer())
    kind: str = Field(sa_column=_text())
    sequence: int | None = Field(sa_column=_integer(null=True))
    payload: str = Field(sa_column=_text())
    status: int | None = Field(sa_column=_integer(null=True))
    error: str | None = Field(sa_column=_text(null=True))


class Jobs(_Table, table=True):
    """Work to be done once: claimed by lease, retried with backoff; `state` is the worker's."""

    __tablename__ = "jobs"
    __table_args__ = (Index("jobs_due", "kind", "state", "run_at_us"), _CLUSTERED)
    id: bytes = Field(sa_column=_bytes(key=True))
    kind: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text())
    priority: int = Field(sa_column=_integer())
    created_us: int = Field(sa_column=_integer())
    run_at_us: int = Field(sa_column=_integer())
    attempts: int = Field(sa_column=_integer())
    lease_token: int = Field(sa_column=_integer())
    lease_holder: str | None = Field(sa_column=_text(null=True))
    lease_until_us: int | None = Field(sa_column=_integer(null=True))
    payload: str = Field(sa_column=_text())
    progress: str | None = Field(sa_column=_text(null=True))
    result: str | None = Field(sa_column=_text(null=True))


class Leases(_Table, table=True):
    """Who runs a background loop; `token` grows with each holder and fences the former one."""

    __tablename__ = "leases"
    __table_args__ = _CLUSTERED
    name: str = Field(sa_column=_text(key=True))
    holder: str = Field(sa_column=_text())
    token: int = Field(sa_column=_integer())
    until_us: int = Field(sa_column=_integer())


class Facts(_Table, table=True):
    """Small things to remember across restarts, by name; values are JSON."""

    __tablename__ = "facts"
    __table_args__ = _CLUSTERED
    name: str = Field(sa_column=_text(key=True))
    value: str = Field(sa_column=_text())
