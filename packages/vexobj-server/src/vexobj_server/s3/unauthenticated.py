"""The S3 API with authentication off: signatures are taken off unread, so any pair will do."""

from starlette.types import ASGIApp, Receive, Scope, Send

_SIGNED_STREAM = b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_UNSIGNED_STREAM = b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_SIGNATURE_PARAMETERS = frozenset(
    {
        b"x-amz-algorithm",
        b"x-amz-credential",
        b"x-amz-date",
        b"x-amz-expires",
        b"x-amz-signedheaders",
        b"x-amz-signature",
        b"x-amz-security-token",
    }
)


class Unauthenticated:
    """Makes an anonymous request of every one; its payload's own digests are still held to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"] = [
            (name, _without_signature(value) if name == b"x-amz-content-sha256" else value)
            for name, value in scope["headers"]
            if name != b"authorization"
        ]
        scope["query_string"] = b"&".join(
            pair
            for pair in scope["query_string"].split(b"&")
            if pair.partition(b"=")[0].lower() not in _SIGNATURE_PARAMETERS
        )
        await self._app(scope, receive, send)


def _without_signature(payload_hash: bytes) -> bytes:
    """Chunks keep their framing; the signatures in it are then nobody's concern."""
    return _UNSIGNED_STREAM if payload_hash.startswith(_SIGNED_STREAM) else payload_hash
