"""Virtual-host style: `bucket.s3.example.com/key`, by wrapping an S3App."""

from vexobj_s3compat.app import S3App
from vexobj_s3compat.asgi import Receive, Scope, Send


class VirtualHosts:
    """Requests to a name below `domain` reach `app` with `s3_bucket` in the scope's state."""

    def __init__(self, app: S3App, domain: str) -> None:
        self._app = app
        self._suffix = b"." + domain.lower().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.partition(b":")[0].lower()
                if host.endswith(self._suffix) and len(host) > len(self._suffix):
                    bucket = host[: -len(self._suffix)].decode("latin-1")
                    found = {**(scope.get("state") or {}), "s3_bucket": bucket}
                    scope = {**scope, "state": found}
                break
        await self._app(scope, receive, send)
