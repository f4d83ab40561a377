"""The keys that what a store holds is sealed with, as a backup names and keeps them."""

from collections.abc import Sequence
from hashlib import sha256

from vexobj_server.settings import SseSettings
from vexobj_storage import BackupSecret, MasterKey

SERVER_SECRET = "server-secret"  # noqa: S105 - a name
MASTER_KEY = "master-key"


def server_secret_id(secret: bytes) -> str:
    """It may be shown to anybody."""
    return sha256(b"vexobj server secret id 1" + secret).digest()[:4].hex()


def backup_secrets(
    server_secret: bytes, sse: SseSettings, *, inside: bool
) -> Sequence[BackupSecret]:
    """What seals the stored access keys, and what wraps the keys of encrypted content."""
    masters = () if sse.master_key is None else (sse.master_key,)
    keys = [(SERVER_SECRET, server_secret_id(server_secret), server_secret)]
    secrets = map(bytes.fromhex, (*masters, *sse.previous_master_keys))
    keys += [(MASTER_KEY, MasterKey(secret).id, secret) for secret in secrets]
    return [BackupSecret(name, of, secret if inside else None) for name, of, secret in keys]
