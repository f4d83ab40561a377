"""What the operator tells the server: one table, read from TOML and the environment."""

from vexobj_server.settings.errors import SettingsError
from vexobj_server.settings.kinds import Bind, Destination, Network
from vexobj_server.settings.loading import (
    Loaded,
    load_settings,
)
from vexobj_server.settings.reference import settings_reference
from vexobj_server.settings.tables import (
    AuditSettings,
    AuthSettings,
    BackupSettings,
    CacheSettings,
    ImagesSettings,
    LifecycleSettings,
    MetadataSettings,
    MetricsSettings,
    QuotasSettings,
    RateLimitSettings,
    RemoteSettings,
    ScrubSettings,
    ServerSettings,
    Settings,
    SseSettings,
    StorageSettings,
    TlsSettings,
    TranscodeSettings,
    WebhookDeliverySettings,
    WebhookSettings,
)

__all__ = [
    "AuditSettings",
    "AuthSettings",
    "BackupSettings",
    "Bind",
    "CacheSettings",
    "Destination",
    "ImagesSettings",
    "LifecycleSettings",
    "Loaded",
    "MetadataSettings",
    "MetricsSettings",
    "Network",
    "QuotasSettings",
    "RateLimitSettings",
    "RemoteSettings",
    "ScrubSettings",
    "ServerSettings",
    "Settings",
    "SettingsError",
    "SseSettings",
    "StorageSettings",
    "TlsSettings",
    "TranscodeSettings",
    "WebhookDeliverySettings",
    "WebhookSettings",
    "load_settings",
    "settings_reference",
]
