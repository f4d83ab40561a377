"""Everything that a request handler of this server may need, made once by the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vexobj_auth import SecretBox
from vexobj_server.services.access import Access
from vexobj_server.services.audit import Audit
from vexobj_server.services.backups import ServerBackups
from vexobj_server.services.disk import DiskRoom
from vexobj_server.services.expirations import Expirations
from vexobj_server.services.identities import Identities, StoredKeys
from vexobj_server.services.lifecycle import Lifecycle
from vexobj_server.services.variants import Variants
from vexobj_server.services.webhooks import Webhooks
from vexobj_storage import GcReport, ObjectStore


@dataclass(frozen=True, slots=True)
class Services:
    """`capabilities` is what /health tells; `inline_max_bytes` and the timeout bound uploads.

    `metrics` takes an Accept header; it gives the text and its content type.
    """

    store: ObjectStore
    access: Access
    identities: Identities
    variants: Variants
    keys: StoredKeys
    box: SecretBox
    clock: Callable[[], datetime]
    inline_max_bytes: int
    max_object_bytes: int
    upload_timeout_seconds: float
    capabilities: dict[str, Any]
    version: str
    metrics_token: str | None
    disk_usage: Callable[[], Awaitable[int]]
    disk_room: Callable[[], Awaitable[DiskRoom]]
    metrics: Callable[[str], Awaitable[tuple[bytes, str]]]
    collect_garbage: Callable[[], Awaitable[GcReport]]
    lifecycle: Lifecycle
    audit: Audit
    backups: ServerBackups
    expirations: Expirations
    webhooks: Webhooks
