"""The one table of settings: TOML path, environment names, kind, default and meaning of each.

A class is a TOML table, a field a key of it. `VEXOBJ_<TABLE>_<KEY>` is each field's environment
name; `env` adds a shorter one. Sizes are bytes, durations timedeltas. `since` is the version from
which a setting acts: before that it is read and checked, and the server says that it does nothing.
"""

# ruff: noqa: RUF009 - _setting is dataclasses.field with the columns of the table

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from vexobj_server.settings.kinds import (
    BIND,
    BOOLEAN,
    DESTINATIONS,
    DOMAIN,
    DURATION,
    EVENT_NAMES,
    HEX_SECRET,
    HEX_SECRETS,
    HTTP_URL,
    LOG_LEVEL,
    NETWORKS,
    PATH,
    SIZE,
    TEXT,
    URL,
    Bind,
    Destination,
    Kind,
    Network,
    choice,
    integer,
)

_KIB = 1024
_MIB = 1024**2
_GIB = 1024**3
_TIB = 1024**4


def _setting(
    kind: Kind,
    default: Any,
    meaning: str,
    *,
    env: str | None = None,
    secret: bool = False,
    since: str | None = None,
) -> Any:
    metadata = {"kind": kind, "meaning": meaning, "env": env, "secret": secret, "since": since}
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    bind: Bind = _setting(
        BIND,
        Bind("0.0.0.0", 8000),  # noqa: S104 - a server is there to be reached
        "Address and port to listen on; `[::]:8000` for IPv6.",
        env="VEXOBJ_BIND",
    )
    workers: int = _setting(integer(0, 256), 1, "Worker processes; 0 means one for each processor.")
    public_url: str | None = _setting(
        URL,
        None,
        "The URL under which clients reach the server; presigned URLs are made with it."
        " Without it the request's own host is used.",
    )
    s3_domain: str | None = _setting(
        DOMAIN, None, "Domain of virtual-host style: `bucket.<s3_domain>` is that bucket."
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        NETWORKS,
        (),
        "Proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed; nobody else's are.",
    )
    region: str = _setting(TEXT, "us-east-1", "The region that S3 clients are told.")
    log_format: str = _setting(
        choice("text", "json"), "text", "Log lines for people, or one JSON object a line."
    )
    log_level: str = _setting(
        LOG_LEVEL, "info", "The least severe level that is logged.", env="RUST_LOG"
    )
    access_log: bool = _setting(BOOLEAN, True, "One log line for each request.")
    upload_timeout: timedelta = _setting(
        DURATION, timedelta(seconds=60), "An upload that brings no byte for so long is cut off."
    )
    shutdown_timeout: timedelta = _setting(
        DURATION, timedelta(seconds=20), "How long requests under way may take to end at a stop."
    )
    header_timeout: timedelta = _setting(
        DURATION,
        timedelta(seconds=30),
        "How long a client may take for a request's head, and a kept connection may rest;"
        " at most 60 seconds.",
    )
    max_connections: int = _setting(
        integer(1, 1_000_000), 4096, "Open connections in all workers together; more have to wait."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    endpoint: str | None = _setting(
        URL, None, "The S3 service that keeps the blobs.", env="VEXOBJ_S3_ENDPOINT"
    )
    bucket: str | None = _setting(
        TEXT, None, "The bucket that keeps the blobs.", env="VEXOBJ_S3_BUCKET"
    )
    access_key: str | None = _setting(
        TEXT, None, "Access key id for the service.", env="VEXOBJ_S3_ACCESS_KEY"
    )
    secret_key: str | None = _setting(
        TEXT,
        None,
        "Secret access key for the service.",
        env="VEXOBJ_S3_SECRET_KEY",
        secret=True,
    )
    region: str = _setting(TEXT, "us-east-1", "Region of the service.", env="VEXOBJ_S3_REGION")
    path_style: bool = _setting(
        BOOLEAN,
        True,
        "Address the bucket in the path rather than in the host name.",
        env="VEXOBJ_S3_PATH_STYLE",
    )
    prefix: str = _setting(
        TEXT,
        "",
        "What the names of the blobs begin with; each store needs one of its own in a bucket.",
        env="VEXOBJ_S3_PREFIX",
    )
    part_size: int = _setting(
        SIZE,
        8 * _MIB,
        "Larger blobs are sent in parts of this size, at least 5 MiB; an upload holds two of them.",
    )
    timeout: timedelta = _setting(
        DURATION,
        timedelta(seconds=30),
        "A request that makes no progress for so long is given up, and tried again.",
    )
    max_attempts: int = _setting(
        integer(1, 20), 5, "How often a request is tried before the client is told 503."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    data_dir: Path = _setting(
        PATH, Path("data"), "Where everything is kept.", env="VEXOBJ_DATA_DIR"
    )
    max_file_size: int = _setting(
        SIZE, 5 * _TIB, "The largest object that is taken.", env="VEXOBJ_MAX_FILE_SIZE"
    )
    deduplication: bool = _setting(
        BOOLEAN, True, "Store equal content once.", env="VEXOBJ_DEDUPLICATION"
    )
    backend: str = _setting(
        choice("local", "s3"),
        "local",
        "Where new blobs are kept: in the data directory, or in an S3 service. What is in the other"
        " place stays readable until `vexobj blobs move` has brought it over.",
    )
    allow_private_source_urls: bool = _setting(
        BOOLEAN,
        False,
        "Let uploads from a URL reach private addresses.",
        env="VEXOBJ_ALLOW_PRIVATE_SOURCE_URLS",
        since="0.2",
    )
    inline_max_size: int = _setting(
        SIZE, 16 * _KIB, "Objects up to this size are kept with the metadata, without a file."
    )
    durability: str = _setting(
        choice("strict", "relaxed"),
        "strict",
        "What an answer waits for: `strict` has everything on disk before it, `relaxed` leaves the"
        " metadata of about the last second to a power cut (docs/guides/durability.md).",
    )
    gc_interval: timedelta = _setting(
        DURATION, timedelta(minutes=1), "How often unreferenced blobs are looked after."
    )
    gc_grace: timedelta = _setting(
        DURATION,
        timedelta(minutes=10),
        "How long a blob stays after its last reference went; downloads under way live on it.",
    )
    gc_orphan_age: timedelta = _setting(
        DURATION, timedelta(hours=24), "Files that nothing knows of are removed at this age."
    )
    stale_upload_age: timedelta = _setting(
        DURATION,
        timedelta(days=7),
        "A multipart upload in which nothing happened for so long is aborted; 0 means never.",
    )
    s3: RemoteSettings = RemoteSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataSettings:
    url: str | None = _setting(
        TEXT,
        None,
        "`postgresql://user:password@host/database`; without it SQLite in the data directory.",
        secret=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    memory_size: int = _setting(SIZE, 256 * _MIB, "Memory for variants, in all workers together.")
    disk_size: int = _setting(SIZE, 2 * _GIB, "Disk for variants; 0 means no limit.")
    disk_path: Path | None = _setting(
        PATH, None, "Where variants are kept; `cache` in the data directory when not set."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesSettings:
    default_quality: int = _setting(integer(1, 100), 85, "JPEG quality when none is asked for.")
    webp_quality: int = _setting(integer(1, 100), 79, "WebP quality when none is asked for.")
    avif_quality: int = _setting(integer(1, 100), 63, "AVIF quality when none is asked for.")
    avif_speed: int = _setting(integer(0, 10), 9, "AVIF encoder speed: 10 is the fastest.")
    max_transform_size: int = _setting(
        SIZE, 50 * _MIB, "The largest original in bytes that is transformed."
    )
    max_source_pixels: int = _setting(integer(1), 50_000_000, "The largest original in pixels.")
    max_dimension: int = _setting(
        integer(1, 65535), 4096, "The longest side of a result, in pixels."
    )
    timeout: timedelta = _setting(
        DURATION, timedelta(seconds=10), "A transformation is given up after so long."
    )
    workers: int = _setting(
        integer(0, 256), 0, "Decoder processes for the whole server; 0 means one a processor."
    )
    worker_memory: int = _setting(
        SIZE,
        _GIB,
        "What all pictures under way may need together, by estimate; also the address space of one"
        " decoder process, of which a single picture gets five eighths.",
    )
    queue_size: int = _setting(
        integer(1), 64, "Transformations that may wait; more are answered 503."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthSettings:
    enabled: bool = _setting(
        BOOLEAN,
        True,
        "false lets everybody do everything.",
    )
    root_access_key_id: str | None = _setting(
        TEXT, None, "Access key id of the first admin key; without it one is generated."
    )
    root_secret_access_key: str | None = _setting(
        TEXT,
        None,
        "Secret of the first admin key, also good as a bearer token; goes with the id.",
        secret=True,
    )
    server_secret: str | None = _setting(
        HEX_SECRET,
        None,
        "Seals the stored secrets; without it a file in the data directory holds a random one.",
        secret=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    enabled: bool = _setting(BOOLEAN, False, "Speak HTTPS.")
    cert_path: Path | None = _setting(PATH, None, "Certificate chain, PEM.")
    key_path: Path | None = _setting(PATH, None, "Private key, PEM (PKCS#8).")
    min_version: str = _setting(choice("1.2", "1.3"), "1.2", "The oldest TLS that is spoken.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitSettings:
    enabled: bool = _setting(BOOLEAN, False, "Limit requests per key or address.", since="0.2")
    max_requests: int = _setting(
        integer(1), 1000, "Requests per window.", env="VEXOBJ_RATE_LIMIT_MAX", since="0.2"
    )
    window_secs: int = _setting(
        integer(1), 60, "The window, in seconds.", env="VEXOBJ_RATE_LIMIT_WINDOW", since="0.2"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotasSettings:
    """Noncurrent versions and unfinished parts count; a bucket's own quota goes before these."""

    enabled: bool = _setting(
        BOOLEAN, False, "Hold buckets without a quota of their own to these, from the start on."
    )
    default_max_storage: int = _setting(
        SIZE, 10 * _GIB, "Bytes per bucket.", env="VEXOBJ_QUOTAS_MAX_STORAGE"
    )
    default_max_objects: int = _setting(
        integer(0, 2**63 - 1), 100_000, "Objects per bucket.", env="VEXOBJ_QUOTAS_MAX_OBJECTS"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleSettings:
    interval_seconds: int = _setting(
        integer(1, 31_536_000), 3600, "Seconds between two sweeps for what has expired."
    )
    day_seconds: int = _setting(
        integer(1, 86_400),
        86_400,
        "How long a day of the lifecycle rules is, for tests; clients are told of whole days.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubSettings:
    interval: timedelta = _setting(
        DURATION,
        timedelta(days=30),
        "How often all stored bytes are read and compared with their digests; 0 means only when"
        " it is asked for.",
    )
    bytes_per_second: int = _setting(
        SIZE, 16 * 1024**2, "How fast it reads; 0 means as fast as it can."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    enabled: bool = _setting(
        BOOLEAN, True, "Record every write of both APIs, in the transaction of the write."
    )
    retention: timedelta = _setting(
        DURATION, timedelta(days=90), "Entries are removed at this age; 0 means never."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    directory: Path | None = _setting(
        PATH,
        None,
        "Where backups go: better another disk, or a mounted one of another machine; `backups` in"
        " the data directory when not set.",
    )
    interval: timedelta = _setting(
        DURATION, timedelta(0), "How often the server makes one; 0 means only when asked."
    )
    keep: int = _setting(
        integer(1, 10_000), 7, "How many backups stay in the directory; older ones are removed."
    )
    with_secrets: bool = _setting(
        BOOLEAN,
        False,
        "Put the server secret and the master keys into each backup: whoever has it can read"
        " everything then. Without them keep both elsewhere, or the backups are worth nothing.",
    )
    max_rate: int = _setting(
        SIZE, 0, "Bytes a second that a backup copies at most; 0 means no limit."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """One of a list: `[[webhooks]]`. The `VEXOBJ_WEBHOOK_*` variables add one to the file's."""

    url: str = _setting(HTTP_URL, "", "Where events are sent to.")
    events: tuple[str, ...] = _setting(
        EVENT_NAMES, ("*",), "The events that are sent; `object.*` means all that begin so."
    )
    bucket: str | None = _setting(TEXT, None, "Only events of this bucket.")
    prefix: str = _setting(TEXT, "", "Only events of keys that begin so.")
    secret: str | None = _setting(TEXT, None, "Signs what is sent.", secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDeliverySettings:
    timeout: timedelta = _setting(
        DURATION, timedelta(seconds=10), "How long one attempt may take in all; at most 60 seconds."
    )
    connect_timeout: timedelta = _setting(
        DURATION, timedelta(seconds=5), "How long connecting may take."
    )
    max_attempts: int = _setting(
        integer(1, 100), 16, "How often an event is tried before it is given up."
    )
    retry_interval: timedelta = _setting(
        DURATION,
        timedelta(seconds=10),
        "The pause after the first failure; it doubles with each, 25 % more or less.",
    )
    max_retry_interval: timedelta = _setting(DURATION, timedelta(hours=6), "The longest pause.")
    concurrency: int = _setting(
        integer(1, 100), 8, "Events under way to one webhook at a time, in each worker."
    )
    max_backlog: int = _setting(
        integer(1, 10_000_000),
        100_000,
        "Deliveries that may wait for a webhook; more are given up at once. As many given up and as"
        " many delivered are remembered, the oldest going first.",
    )
    delivered_retention: timedelta = _setting(
        DURATION, timedelta(days=1), "How long what was delivered is remembered."
    )
    dead_retention: timedelta = _setting(
        DURATION, timedelta(days=30), "How long what was given up is kept to be sent again."
    )
    allowed: tuple[Destination, ...] = _setting(
        DESTINATIONS,
        (),
        "Hosts and networks that may be sent to though their addresses are not public.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SseSettings:
    enabled: bool = _setting(
        BOOLEAN,
        False,
        "Encrypt what is stored from now on. What is encrypted already is read with the key,"
        " whether this is on or off.",
    )
    master_key: str | None = _setting(
        HEX_SECRET,
        None,
        "The operator's key: `openssl rand -hex 32`. What is encrypted is lost without it.",
        secret=True,
    )
    master_key_file: Path | None = _setting(
        PATH, None, "A file that holds `master_key`, in place of it."
    )
    previous_master_keys: tuple[str, ...] = _setting(
        HEX_SECRETS,
        (),
        "Earlier master keys, until `vexobj rekey` has been run under the new one.",
        secret=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscodeSettings:
    workers: int = _setting(integer(1, 256), 2, "Transcodes at a time.", since="0.2")
    max_pending: int = _setting(
        integer(0), 100, "Jobs that may wait; 0 means no limit.", since="0.2"
    )
    gc_after_days: int = _setting(
        integer(0),
        30,
        "Days that finished jobs are remembered; 0 means always.",
        env="VEXOBJ_TRANSCODE_GC_DAYS",
        since="0.2",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    enabled: bool = _setting(BOOLEAN, True, "Count, and answer `/metrics`.")
    token: str | None = _setting(
        TEXT,
        None,
        "Bearer token that `/metrics` asks for; without it anybody may read.",
        secret=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the server is told. Passed on by constructors, never global."""

    server: ServerSettings = ServerSettings()
    storage: StorageSettings = StorageSettings()
    metadata: MetadataSettings = MetadataSettings()
    cache: CacheSettings = CacheSettings()
    images: ImagesSettings = ImagesSettings()
    auth: AuthSettings = AuthSettings()
    tls: TlsSettings = TlsSettings()
    rate_limit: RateLimitSettings = RateLimitSettings()
    quotas: QuotasSettings = QuotasSettings()
    lifecycle: LifecycleSettings = LifecycleSettings()
    scrub: ScrubSettings = ScrubSettings()
    audit: AuditSettings = AuditSettings()
    backup: BackupSettings = BackupSettings()
    webhooks: tuple[WebhookSettings, ...] = ()
    webhook_delivery: WebhookDeliverySettings = WebhookDeliverySettings()
    sse: SseSettings = SseSettings()
    transcode: TranscodeSettings = TranscodeSettings()
    metrics: MetricsSettings = MetricsSettings()

    @property
    def cache_dir(self) -> Path:
        return self.cache.disk_path or self.storage.data_dir / "cache"

    @property
    def backup_dir(self) -> Path:
        return self.backup.directory or self.storage.data_dir / "backups"
