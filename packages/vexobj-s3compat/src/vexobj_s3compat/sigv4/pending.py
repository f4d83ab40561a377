"""A signature that was read but not yet checked: between parsing and verifying, keys are found."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal, NamedTuple

from vexobj_s3compat.errors import SignatureDoesNotMatch
from vexobj_s3compat.sigv4.canonical import (
    canonical_headers,
    canonical_path,
    canonical_query,
    raw_canonical_query,
)
from vexobj_s3compat.sigv4.keys import SigningKey, signing_key

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"


class Scope(NamedTuple):
    """Where a signing key is good for: the second half of a credential."""

    date: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


class Verified(NamedTuple):
    """What aws-chunked needs to go on from the request's own signature (the seed)."""

    signing_key: SigningKey
    timestamp: str
    scope: str
    signature: str


class PendingAuth(NamedTuple):
    """What a request claims; nothing of it is proved before `verify` returns.

    `payload_hash` is x-amz-content-sha256: a hex digest, UNSIGNED-PAYLOAD or a STREAMING- form.
    """

    kind: Literal["header", "query"]
    access_key_id: str
    scope: Scope
    timestamp: str
    payload_hash: str
    signature: str
    signed_headers: tuple[str, ...]
    method: str
    raw_path: bytes
    raw_query: bytes
    headers: Mapping[str, str]

    def verify(self, secret: str) -> Verified:
        """Compare the signature, in constant time, with the one that `secret` makes.

        Raises:
            SignatureDoesNotMatch: with the canonical request and string to sign computed here.
        """
        key = signing_key(secret, *self.scope)
        scope = str(self.scope)
        canonical = self._canonical(canonical_path(self.raw_path), canonical_query(self.raw_query))
        if not self._matches(key, scope, canonical):
            # Some clients sign the bytes they send. Either form names the same key.
            as_sent = self._canonical(
                self.raw_path.decode("latin-1") or "/", raw_canonical_query(self.raw_query)
            )
            if as_sent == canonical or not self._matches(key, scope, as_sent):
                raise self._mismatch(scope, canonical)
        return Verified(key, self.timestamp, scope, self.signature)

    def _canonical(self, path: str, query: str) -> bytes:
        names = self.signed_headers
        lines = canonical_headers(self.headers, names)
        return (
            f"{self.method}\n{path}\n{query}\n{lines}\n{';'.join(names)}\n{self.payload_hash}"
        ).encode("latin-1", "replace")

    def _string_to_sign(self, scope: str, canonical: bytes) -> str:
        digest = hashlib.sha256(canonical).hexdigest()
        return f"{ALGORITHM}\n{self.timestamp}\n{scope}\n{digest}"

    def _matches(self, key: SigningKey, scope: str, canonical: bytes) -> bool:
        to_sign = self._string_to_sign(scope, canonical).encode("latin-1", "replace")
        expected = key.sign(to_sign).encode()
        return hmac.compare_digest(expected, self.signature.encode("latin-1", "replace"))

    def _mismatch(self, scope: str, canonical: bytes) -> SignatureDoesNotMatch:
        to_sign = self._string_to_sign(scope, canonical)
        return SignatureDoesNotMatch(
            fields={
                "AWSAccessKeyId": self.access_key_id,
                "StringToSign": to_sign,
                "SignatureProvided": self.signature,
                "StringToSignBytes": to_sign.encode("latin-1", "replace").hex(" "),
                "CanonicalRequest": canonical.decode("latin-1"),
                "CanonicalRequestBytes": canonical.hex(" "),
            }
        )
