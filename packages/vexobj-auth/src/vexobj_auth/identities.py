"""Making identities: canonical ids and names."""

import secrets
from datetime import datetime

from vexobj_auth.types import Identity


def new_canonical_id() -> str:
    """64 hex digits, as S3 shows an owner."""
    return secrets.token_hex(32)


def new_identity(display_name: str, created_at: datetime, email: str | None = None) -> Identity:
    """Raises: ValueError for a name or an address that could not be shown."""
    name = display_name.strip()
    if not 1 <= len(name) <= 128 or not name.isprintable():
        raise ValueError("a display name has 1 to 128 printable characters")
    if email is not None and (not 3 <= len(email) <= 254 or "@" not in email or " " in email):
        raise ValueError("an email address has an @ and no spaces")
    return Identity(new_canonical_id(), name, email, created_at)
