"""The connection to one server with one key: a request, its answer, its failures as errors."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from vexobj_sdk.download import Download
from vexobj_sdk.errors import UnexpectedAnswer, error_from, no_answer
from vexobj_sdk.models import Json

T = TypeVar("T")


class Connection:
    """What every group of calls rests on."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        key: str | None = None,
        *,
        timeout_seconds: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        # Objects are fetched as they are stored: nothing is compressed on the way.
        headers = {"accept-encoding": "identity"}
        if key:
            headers["authorization"] = f"Bearer {_token(key)}"
        self._http = httpx.Client(
            base_url=_address(url),
            headers=headers,
            timeout=timeout_seconds,
            transport=transport,
            # One for all: left alone, httpx reads the certificates again for every proxy.
            verify=httpx.create_ssl_context(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def _json(self, parse: Callable[[Json], T], method: str, path: str, **options: Any) -> T:
        response = self._request(method, path, **options)
        try:
            return parse(response.json())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnexpectedAnswer(
                f"{self._http.base_url} does not answer as VexObj does",
                status=response.status_code,
            ) from error

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.RequestError as error:
            raise no_answer(self._http.base_url, error) from error
        if not response.is_success:
            raise error_from(response)
        return response

    @contextmanager
    def _stream(
        self, path: str, params: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Iterator[Download]:
        request = self._http.build_request("GET", path, params=params, headers=headers)
        try:
            response = self._http.send(request, stream=True)
            if not response.is_success:
                response.read()
        except httpx.RequestError as error:
            raise no_answer(self._http.base_url, error) from error
        try:
            if not response.is_success:
                raise error_from(response)
            yield Download(response)
        finally:
            response.close()


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise ValueError(f"not an address: {url} ({error})") from None
    if address.scheme not in {"http", "https"} or not address.host:
        raise ValueError(f"not an address: {url} (it begins with http:// or https://)")
    return address


def _token(key: str) -> str:
    key = key.strip()
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ValueError("an API key has no spaces, control or non-ASCII characters")
    return key


def given(**values: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def each(name: str, parse: Callable[[Json], T]) -> Callable[[Json], list[T]]:
    """What parses the list of that name in an answer."""
    return lambda data: [parse(item) for item in data[name]]
