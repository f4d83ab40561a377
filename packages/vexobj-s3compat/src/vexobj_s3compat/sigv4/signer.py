"""The client's side of Signature Version 4: headers to send, URLs to hand out, chunks to frame.

Pure: the clock is an argument, and what is signed is given as it will stand on the wire.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from time import gmtime, strftime

from vexobj_s3compat.sigv4.canonical import (
    canonical_headers,
    canonical_path,
    canonical_query,
    uri_encode,
)
from vexobj_s3compat.sigv4.chunked import SIGNED, SIGNED_TRAILER
from vexobj_s3compat.sigv4.keys import SigningKey, signing_key
from vexobj_s3compat.sigv4.pending import ALGORITHM, UNSIGNED_PAYLOAD, Scope, Verified

_EMPTY = sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one key and region."""

    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"

    def sign(
        self,
        method: str,
        raw_path: bytes,
        raw_query: bytes,
        headers: Mapping[str, str],
        *,
        now: float,
        payload_hash: str = _EMPTY,
    ) -> dict[str, str]:
        """`headers` (lower-case names, `host` among them) with date, hash and authorization."""
        timestamp = _timestamp(now)
        signed = {**headers, "x-amz-date": timestamp, "x-amz-content-sha256": payload_hash}
        scope, names = self._scope(timestamp), sorted(signed)
        signature = self._signature(
            timestamp,
            scope,
            _canonical(
                method,
                raw_path,
                canonical_query(raw_query),
                headers=signed,
                names=names,
                payload_hash=payload_hash,
            ),
        )
        signed["authorization"] = (
            f"{ALGORITHM} Credential={self.access_key_id}/{scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}"
        )
        return signed

    def presign(
        self,
        method: str,
        raw_path: bytes,
        raw_query: bytes,
        headers: Mapping[str, str],
        *,
        now: float,
        expires_seconds: int,
    ) -> bytes:
        """The query that grants this one request; `headers` (at least `host`) must be sent."""
        timestamp, names = _timestamp(now), sorted(headers)
        scope = self._scope(timestamp)
        parameters = {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self.access_key_id}/{scope}",
            "X-Amz-Date": timestamp,
            "X-Amz-Expires": str(expires_seconds),
            "X-Amz-SignedHeaders": ";".join(names),
        }
        added = "&".join(f"{k}={uri_encode(v.encode())}" for k, v in parameters.items()).encode()
        query = canonical_query(raw_query + b"&" + added if raw_query else added)
        canonical = _canonical(
            method, raw_path, query, headers=headers, names=names, payload_hash=UNSIGNED_PAYLOAD
        )
        signature = self._signature(timestamp, scope, canonical)
        return f"{query}&X-Amz-Signature={signature}".encode()

    def seed(self, signed: Mapping[str, str]) -> Verified:
        """Where the signatures of chunks begin, from the headers that `sign` returned."""
        timestamp = signed["x-amz-date"]
        scope = self._scope(timestamp)
        signature = signed["authorization"].rpartition("Signature=")[2]
        return Verified(self._key(scope), timestamp, str(scope), signature)

    def _scope(self, timestamp: str) -> Scope:
        return Scope(timestamp[:8], self.region, "s3")

    def _key(self, scope: Scope) -> SigningKey:
        return signing_key(self.secret_access_key, *scope)

    def _signature(self, timestamp: str, scope: Scope, canonical: str) -> str:
        digest = sha256(canonical.encode("latin-1")).hexdigest()
        return self._key(scope).sign(f"{ALGORITHM}\n{timestamp}\n{scope}\n{digest}".encode())


def sign_chunks(
    seed: Verified, chunks: Iterable[bytes], trailers: Mapping[str, str] | None = None
) -> Iterator[bytes]:
    """Frame and sign `chunks` (none empty), then the last one and the trailers, if any."""
    head = f"{seed.timestamp}\n{seed.scope}\n"
    previous = seed.signature
    for chunk in (*chunks, b""):
        to_sign = f"{ALGORITHM}-PAYLOAD\n{head}{previous}\n{_EMPTY}\n"
        previous = seed.signing_key.sign((to_sign + sha256(chunk).hexdigest()).encode())
        yield f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk
        if chunk:
            yield b"\r\n"
    if trailers:
        lines = "".join(f"{name}:{value}\n" for name, value in trailers.items())
        digest = sha256(lines.encode()).hexdigest()
        signature = seed.signing_key.sign(
            f"{ALGORITHM}-TRAILER\n{head}{previous}\n{digest}".encode()
        )
        yield lines.replace("\n", "\r\n").encode()
        yield f"x-amz-trailer-signature:{signature}\r\n".encode()
    yield b"\r\n"


def streaming_payload(*, trailer: bool) -> str:
    """The x-amz-content-sha256 of a body that `sign_chunks` frames."""
    return SIGNED_TRAILER if trailer else SIGNED


def _canonical(
    method: str,
    raw_path: bytes,
    query: str,
    *,
    headers: Mapping[str, str],
    names: list[str],
    payload_hash: str,
) -> str:
    return (
        f"{method}\n{canonical_path(raw_path)}\n{query}\n{canonical_headers(headers, names)}\n"
        f"{';'.join(names)}\n{payload_hash}"
    )


def _timestamp(now: float) -> str:
    return strftime("%Y%m%dT%H%M%SZ", gmtime(now))
