"""Log lines: text for people or one JSON object a line, all on standard error.

Events of the program go through the standard `logging` module. Requests go through `AccessLog`,
which costs the event loop a microsecond or two and leaves the writing to a thread. Neither is ever
given a query string or a credential: they hold signatures and tokens.
"""

import json
import logging
import os
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from vexobj_server.settings import ServerSettings

STANDARD_ERROR = 2

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_FLUSH_SECONDS = 0.2
_MOST_WAITING = 20_000
_WORD = re.compile(r"[!#-<>-\[\]-~]+")


class AccessEntry(NamedTuple):
    """One request. `path` is raw and without its query; `access_key_id` the proven one or None."""

    request_id: str
    method: str
    path: bytes
    status: int
    seconds: float
    bytes_in: int
    bytes_out: int
    client: str
    access_key_id: str | None = None
    operation: str | None = None


class AccessLog:
    """Collects entries and writes them in one go, five times a second at most.

    When the reader of the log does not keep up, entries are dropped and their number is told: a
    slow log must not stop the server. Up to 0.2 s of entries are lost when the process is killed.
    """

    def __init__(
        self,
        log_format: str,
        write: Callable[[bytes], object] = lambda data: os.write(STANDARD_ERROR, data),
    ) -> None:
        self._render = _json_entry if log_format == "json" else _text_entry
        self._write = write
        self._entries: deque[tuple[float, AccessEntry]] = deque()
        self._dropped = 0
        self._something = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def add(self, entry: AccessEntry) -> None:
        if len(self._entries) >= _MOST_WAITING:
            self._dropped += 1
            return
        self._entries.append((time.time(), entry))
        if len(self._entries) == 1:
            self._something.set()

    def close(self) -> None:
        """Everything added before is written on return."""
        self._closing.set()
        self._something.set()
        self._thread.join()
        self._flush()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._something.wait()
            self._closing.wait(_FLUSH_SECONDS)
            self._something.clear()
            self._flush()

    def _flush(self) -> None:
        dropped, self._dropped = self._dropped, 0
        lines = []
        while self._entries:
            at, entry = self._entries.popleft()
            lines.append(self._render(at, entry))
        data = "".join(lines).encode()
        while data:
            try:
                written = self._write(data)
            except OSError:  # the reader of the log is gone: the server is not
                return
            data = data[written:] if isinstance(written, int) else b""
        if dropped:
            logging.getLogger(__name__).warning("dropped %d lines of the access log", dropped)


def configure_logging(settings: ServerSettings) -> None:
    """For this process: one handler on the root logger. Loggers of libraries keep to warnings."""
    root = logging.getLogger()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("vexobj", "vexobj_server"):
        logging.getLogger(name).setLevel(_LEVELS[settings.log_level])


class TextFormatter(logging.Formatter):
    """`TIME LEVEL message name=value ...`; what was passed as `extra` becomes name=value."""

    def format(self, record: logging.LogRecord) -> str:
        words = [_time(record.created), record.levelname.lower(), _printable(record.getMessage())]
        words += [f"{name}={_quoted(value)}" for name, value in _extra(record).items()]
        if record.exc_info:
            words.append("\n" + self.formatException(record.exc_info))
        return " ".join(words)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "logger": record.name,
            **_extra(record),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}


def _text_entry(at: float, entry: AccessEntry) -> str:
    tail = "" if entry.access_key_id is None else f" key={_quoted(entry.access_key_id)}"
    if entry.operation is not None:
        tail += f" operation={entry.operation}"
    return (
        f"{_time(at)} info request method={_quoted(entry.method)}"
        f" path={_quoted(entry.path.decode('latin-1'))} status={entry.status}"
        f" ms={entry.seconds * 1000:.2f} in={entry.bytes_in} out={entry.bytes_out}"
        f" client={_quoted(entry.client)} request_id={entry.request_id}{tail}\n"
    )


def _json_entry(at: float, entry: AccessEntry) -> str:
    fields: dict[str, object] = {
        "time": _time(at),
        "level": "info",
        "message": "request",
        "method": entry.method,
        "path": entry.path.decode("latin-1"),
        "status": entry.status,
        "ms": round(entry.seconds * 1000, 2),
        "in": entry.bytes_in,
        "out": entry.bytes_out,
        "client": entry.client,
        "request_id": entry.request_id,
    }
    if entry.access_key_id is not None:
        fields["key"] = entry.access_key_id
    if entry.operation is not None:
        fields["operation"] = entry.operation
    return json.dumps(fields) + "\n"


def _time(at: float) -> str:
    return f"{_second(int(at))}.{int(at % 1 * 1000):03d}Z"


@lru_cache(maxsize=4)
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()[:-6]


def _quoted(value: object) -> str:
    """As it stands when it is one graphic word, else as a JSON string: a line stays a line."""
    text = str(value)
    return text if _WORD.fullmatch(text) else json.dumps(text)


def _printable(message: str) -> str:
    return message if message.isprintable() else message.encode("unicode_escape").decode()
