"""What can be wrong with a caller's proof or with a key that is to be made.

AuthError
├── NoSuchIdentity          NoSuchAccessKey         AccessKeyAlreadyExists
├── InvalidAccessKeyId      InvalidSecretAccessKey
├── AccessKeyExpired        SealBroken
└── PresignError
    ├── PresignMalformed    PresignExpired          PresignMismatch

Each carries its data as attributes; none ever carries a secret.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(eq=False)
class AuthError(Exception):
    """Base of every condition of this package."""

    def __post_init__(self) -> None:
        super().__init__(str(self))

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"


@dataclass(eq=False)
class NoSuchIdentity(AuthError):
    identity_id: str


@dataclass(eq=False)
class NoSuchAccessKey(AuthError):
    """`access_key_id` is None when a bearer token was looked up: the token is not repeated."""

    access_key_id: str | None


@dataclass(eq=False)
class AccessKeyAlreadyExists(AuthError):
    """The id is taken, or another key already has this secret."""

    access_key_id: str


@dataclass(eq=False)
class InvalidAccessKeyId(AuthError):
    reason: str


@dataclass(eq=False)
class InvalidSecretAccessKey(AuthError):
    reason: str


@dataclass(eq=False)
class AccessKeyExpired(AuthError):
    access_key_id: str
    expired_at: datetime


@dataclass(eq=False)
class SealBroken(AuthError):
    """A sealed secret does not open: another server secret, another key's seal, or damage."""

    access_key_id: str


@dataclass(eq=False)
class PresignError(AuthError):
    """Base of what is wrong with a presigned URL."""


@dataclass(eq=False)
class PresignMalformed(PresignError):
    reason: str


@dataclass(eq=False)
class PresignExpired(PresignError):
    expired_at: int


@dataclass(eq=False)
class PresignMismatch(PresignError):
    """The signature is not that of this method, bucket, key, expiry and content type."""
