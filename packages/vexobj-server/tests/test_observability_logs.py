import json
import logging
import re
import threading
from collections.abc import Iterator

import pytest

from vexobj_server.observability.logs import (
    AccessEntry,
    AccessLog,
    JsonFormatter,
    TextFormatter,
    configure_logging,
)
from vexobj_server.settings import ServerSettings

ENTRY = AccessEntry(
    "id-1", "GET", b"/photos/a%20b.jpg", 200, 0.00042, 0, 4096, "192.0.2.1", "VXKEY", "GetObject"
)


class Written:
    """What a log wrote, and a way to hold up its reader."""

    def __init__(self) -> None:
        self.data = b""
        self.may_write = threading.Event()
        self.may_write.set()

    def __call__(self, data: bytes) -> int:
        self.may_write.wait()
        some = data[:1000]  # a pipe may take less than it is given
        self.data += some
        return len(some)


def test_text_lines() -> None:
    written = Written()
    log = AccessLog("text", written)
    log.add(ENTRY)
    log.close()
    line = written.data.decode()
    assert line.endswith(
        " info request method=GET path=/photos/a%20b.jpg status=200 ms=0.42 in=0 out=4096"
        " client=192.0.2.1 request_id=id-1 key=VXKEY operation=GetObject\n"
    )


def test_json_lines() -> None:
    written = Written()
    log = AccessLog("json", written)
    log.add(ENTRY)
    log.add(AccessEntry("id-2", "GET", b"/", 403, 0, 0, 0, "::1"))
    log.close()
    first, second = (json.loads(line) for line in written.data.splitlines())
    assert (first["path"], first["status"], first["ms"]) == ("/photos/a%20b.jpg", 200, 0.42)
    assert (first["key"], first["operation"]) == ("VXKEY", "GetObject")
    assert "key" not in second


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_nothing_that_a_client_sends_makes_a_line_of_its_own(log_format: str) -> None:
    written = Written()
    log = AccessLog(log_format, written)
    log.add(AccessEntry("id", "GE\nT", b"/a\r\n\xff status=200 \x1b[2J", 404, 0, 0, 0, "x"))
    log.close()
    assert written.data.count(b"\n") == 1
    assert written.data.isascii()
    assert b"\x1b" not in written.data


def test_a_reader_that_stalls_stops_nothing_and_costs_bounded_memory(
    caplog: pytest.LogCaptureFixture,
) -> None:
    written = Written()
    written.may_write.clear()
    log = AccessLog("text", written)
    for _ in range(50_000):
        log.add(ENTRY)
    written.may_write.set()
    log.close()
    lines = written.data.count(b"\n")
    assert 20_000 <= lines <= 40_001
    told = " ".join(record.getMessage() for record in caplog.records)
    assert sum(int(number) for number in re.findall(r"dropped (\d+)", told)) == 50_000 - lines


def test_a_reader_that_is_gone_stops_nothing() -> None:
    def gone(_data: bytes) -> int:
        raise BrokenPipeError

    log = AccessLog("text", gone)
    log.add(ENTRY)
    log.close()


@pytest.fixture
def untouched_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("vexobj", "vexobj_server"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.usefixtures("untouched_logging")
def test_events_are_written_as_configured(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(ServerSettings(log_format="json", log_level="info"))
    log = logging.getLogger("vexobj_server.somewhere")
    log.debug("unseen")
    log.info("told %d", 3, extra={"request_id": "id-1"})
    logging.getLogger("library").info("unseen")
    (line,) = capsys.readouterr().err.splitlines()
    fields = json.loads(line)
    assert (fields["message"], fields["level"], fields["request_id"]) == ("told 3", "info", "id-1")


def record(message: str, **extra: str) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": message, "levelname": "INFO", "created": 0.0})
    vars(made).update(extra)
    return made


def test_text_events() -> None:
    line = TextFormatter().format(record("told", key="a b", plain="x"))
    assert line == '1970-01-01T00:00:00.000Z info told key="a b" plain=x'
    assert "\n" not in TextFormatter().format(record("two\nlines"))


def test_a_traceback_stays_in_its_json_line() -> None:
    made = record("failed")
    made.exc_info = (ValueError, ValueError("x"), None)
    line = JsonFormatter().format(made)
    assert "\n" not in line
    assert "ValueError: x" in json.loads(line)["exception"]
