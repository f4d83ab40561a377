"""Requests to an S3 service: signed, bounded in time, repeated while it makes sense.

Knows no blobs. What a service refused is a `Refusal`, which says whether another attempt is worth
it; the stores translate it.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from vexobj_storage.errors import (
    BlobServiceUnusable,
    OutOfSpace,
    StoreBusy,
    StoreError,
    WriteFailed,
)

RETRY_AFTER_SECONDS = 5.0
"""What a caller is told when the service is out of reach."""

Observe = Callable[[str, str], None]
"""Told of each attempt: the operation, and `ok`, `retry`, `refused` or `failed`."""

_TRANSIENT_CODES = frozenset(
    {
        "BadDigest", "IncompleteBody", "InternalError", "OperationAborted",
        "PriorRequestNotComplete", "RequestTimeout", "RequestTimeoutException",
        "ServiceUnavailable", "SlowDown",
        "Throttling", "ThrottlingException", "TooManyRequests",
    }
)  # fmt: skip
_TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_FULL_CODES = frozenset(
    {"InsufficientCapacity", "InsufficientStorage", "QuotaExceeded", "StorageFull",
     "XMinioStorageFull"}
)  # fmt: skip

_MISSING_CODES = frozenset({"NoSuchKey", "NoSuchUpload", "NotFound", "404"})
"""The answer to HEAD has no body, and its code is its status."""

_LONGEST_PAUSE_SECONDS = 20.0

_log = logging.getLogger(__name__)


def _nobody(_operation: str, _outcome: str) -> None:
    """Observes nothing."""


@dataclass(frozen=True, slots=True)
class S3BlobConfig:
    """A bucket, and how to speak to it; blobs lie under `prefix`.

    Without both keys the credentials are the environment's, as AWS's own tools find them.
    `timeout_seconds` is for a request that makes no progress, not for a whole one. Between
    attempts lie random times of at most `backoff_seconds`, doubled with each, and 20 seconds.
    """

    endpoint: str
    bucket: str
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    region: str = "us-east-1"
    path_style: bool = True
    prefix: str = ""
    part_bytes: int = 8 * 1024**2
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 5.0
    max_attempts: int = 5
    backoff_seconds: float = 0.5
    observe: Observe = field(default=_nobody, compare=False)


class Refusal(Exception):
    """A service's error answer, or no answer at all: then `status` is 0 and `code` says how."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.status = status

    @property
    def transient(self) -> bool:
        """Whether the same request may well succeed later."""
        if self.full:
            return False
        return self.code in _TRANSIENT_CODES or self.status in _TRANSIENT_STATUSES | {0}

    @property
    def full(self) -> bool:
        return self.status == 507 or self.code in _FULL_CODES

    @property
    def missing(self) -> bool:
        """The object or upload is not there; of a missing bucket, or user, that is not said."""
        return self.code in _MISSING_CODES


class S3Service:
    """One bucket through one pool of connections."""

    def __init__(self, config: S3BlobConfig, client: Any, stack: AsyncExitStack) -> None:
        self.config = config
        self._client = client
        self._stack = stack
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, config: S3BlobConfig) -> Self:
        """No request is made. Raises: BlobServiceUnusable (the extra `s3` is not installed)."""
        try:
            import aioboto3
            from botocore.config import Config
            from botocore.handlers import add_expect_header
        except ImportError:
            raise BlobServiceUnusable(
                "backend", "aioboto3 is not installed: pip install 'vexobj-storage[s3]'"
            ) from None
        session = aioboto3.Session(
            aws_access_key_id=config.access_key_id,
            aws_secret_access_key=config.secret_access_key,
        )
        options = Config(
            signature_version="s3v4",
            connect_timeout=config.connect_timeout_seconds,
            read_timeout=config.timeout_seconds,
            retries={"total_max_attempts": 1},
            max_pool_connections=1024,
            # Content-MD5, which is signed, says what the body is; every service knows it.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={
                "addressing_style": "path" if config.path_style else "virtual",
                "payload_signing_enabled": False,
            },
        )
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(
                session.client(
                    "s3", endpoint_url=config.endpoint, region_name=config.region, config=options
                )
            )
            # A service, or a proxy before it, that does not know the header would stall uploads.
            client.meta.events.unregister("before-call.s3", add_expect_header)
            return cls(config, client, stack.pop_all())

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """In the background; `close` waits for it, though nobody else may any more."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    async def call(
        self, operation: str, parameters: Mapping[str, Any], *, attempts: int | None = None
    ) -> dict[str, Any]:
        """One request, repeated after transient failures; `parameters` as boto3 has them.

        A file-like `Body` is sent from its beginning each time. Raises: Refusal.
        """
        failures = 0
        while True:
            if "Body" in parameters:
                parameters["Body"].seek(0)
            try:
                answer = await self._request(operation, parameters)
            except Refusal as refusal:
                failures += 1
                await self.pause(operation, refusal, failures, attempts)
            else:
                self.config.observe(operation, "ok")
                return answer

    async def pause(
        self, operation: str, refusal: Refusal, failures: int, attempts: int | None = None
    ) -> None:
        """Wait before another attempt; raise `refusal` where one makes no sense."""
        config = self.config
        if refusal.transient and failures < (attempts or config.max_attempts):
            config.observe(operation, "retry")
            longest = min(_LONGEST_PAUSE_SECONDS, config.backoff_seconds * 2 ** (failures - 1))
            # Random, so that callers who failed together do not come back together.
            await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - no secret
            return
        config.observe(operation, "failed" if refusal.transient else "refused")
        if not refusal.missing:
            _log.warning("%s of %s: %s", operation, config.endpoint, refusal)
        raise refusal

    async def _request(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        with refusals():
            call = getattr(self._client, operation)
            answer: dict[str, Any] = await call(Bucket=self.config.bucket, **parameters)
        return answer


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Turn what the client raises into a `Refusal`."""
    import aiohttp
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    try:
        yield
    except exceptions.ClientError as error:
        raise _answered(error.response) from error
    except (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
    ) as error:
        raise Refusal("NoCredentials", 403, str(error)) from error
    except exceptions.SSLError as error:
        raise Refusal("TLS", 495, _root(error)) from error
    except ResponseParserError as error:
        raise Refusal("NotS3", 400, str(error)) from error
    except (exceptions.ValidationError, ValueError) as error:
        raise Refusal("InvalidRequest", 400, str(error)) from error
    except (exceptions.ReadTimeoutError, exceptions.ConnectTimeoutError, TimeoutError) as error:
        raise Refusal("NoAnswer", 0, "no answer in time") from error
    except (exceptions.BotoCoreError, aiohttp.ClientError, OSError) as error:
        raise Refusal("ConnectionFailed", 0, _root(error)) from error


def _answered(response: dict[str, Any]) -> Refusal:
    error = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return Refusal(str(error.get("Code", status)), status, error.get("Message", ""))


def _root(error: BaseException) -> str:
    inner = getattr(error, "kwargs", {}).get("error")
    return str(inner or error) or type(error).__name__


def unwritten(refusal: Refusal) -> StoreError:
    """The condition that a refused write stands for."""
    if refusal.full:
        return OutOfSpace()
    if refusal.transient:
        return StoreBusy(RETRY_AFTER_SECONDS)
    return WriteFailed(str(refusal))
