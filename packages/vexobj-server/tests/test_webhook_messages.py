"""What a webhook is sent, and that the guide's code takes it and nothing else."""

import json
import re
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.tools import need
from vexobj_server.services.webhook_messages import body, headers, pause
from vexobj_storage import Event

GUIDE = (Path(__file__).parents[3] / "docs/guides/webhooks.md").read_text(encoding="utf-8")
SECRET = "whsec_of-the-test"
EVENT = Event(
    "0" * 32, 7, datetime(2030, 1, 1, tzinfo=UTC), "object.created", 9, {"key": 'a/狐 " ü'}
)
_SCRIPT = """
import { isGenuine } from "./genuine.mjs";
const [secret, headers, body] = JSON.parse(process.argv[2]);
process.stdout.write(String(isGenuine(secret, headers, Buffer.from(body, "hex"))));
"""


def _example(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the guide's code for Node."""
    (tmp_path / "genuine.mjs").write_text(_example("js"), encoding="utf-8")
    (tmp_path / "check.mjs").write_text(_SCRIPT, encoding="utf-8")
    return tmp_path


def _by_python(secret: str, said: dict[str, str], data: bytes) -> bool:
    names: dict[str, Any] = {}
    exec(_example("python"), names)
    return bool(names["is_genuine"](secret, said, data))


def _by_node(folder: Path, secret: str, said: dict[str, str], data: bytes) -> bool:
    given = json.dumps([secret, said, data.hex()])
    done = subprocess.run(
        [need("node"), "check.mjs", given], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stdout in {"true", "false"}, done.stderr
    return done.stdout == "true"


@pytest.mark.parametrize("language", ["python", "node"])
def test_the_guide_verifies_what_is_sent(folder: Path, language: str) -> None:
    def is_genuine(secret: str, said: dict[str, str], data: bytes) -> bool:
        if language == "python":
            return _by_python(secret, said, data)
        return _by_node(folder, secret, said, data)

    data, now = body(EVENT), round(time.time())
    said = dict(headers(EVENT, data, SECRET, now))
    assert is_genuine(SECRET, said, data)
    assert not is_genuine(SECRET, said, data + b" ")
    assert not is_genuine("another", said, data)
    assert not is_genuine(SECRET, said | {"x-vexobj-timestamp": str(now + 1)}, data)
    assert not is_genuine(SECRET, dict(headers(EVENT, data, SECRET, now - 600)), data)
    assert not is_genuine(SECRET, said | {"x-vexobj-signature": "00"}, data)


def test_the_body_says_it_all_and_stays_the_same() -> None:
    assert body(EVENT) == body(EVENT)
    assert json.loads(body(EVENT)) == {
        "id": EVENT.id,
        "event": "object.created",
        "timestamp": "2030-01-01T00:00:00+00:00",
        "number": 7,
        "sequence": 9,
        "data": {"key": 'a/狐 " ü'},
    }
    assert "x-vexobj-signature" not in headers(EVENT, b"", None, 0)


def test_the_guide_names_every_field_and_event() -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    assert json.loads(shown).keys() == json.loads(body(EVENT)).keys()


@pytest.mark.parametrize(
    ("attempts", "luck", "seconds"),
    [(1, 0.5, 10), (1, 0, 7.5), (1, 1, 12.5), (3, 0.5, 40), (12, 0.5, 20480), (13, 0.5, 21600),
     (100, 1, 27000)],
)  # fmt: skip
def test_pauses(attempts: int, luck: float, seconds: float) -> None:
    first, longest = timedelta(seconds=10), timedelta(hours=6)
    assert pause(attempts, first, longest, luck) == timedelta(seconds=seconds)


def test_no_pause_at_all() -> None:
    assert pause(50, timedelta(0), timedelta(hours=1), 0.5) == timedelta(0)
