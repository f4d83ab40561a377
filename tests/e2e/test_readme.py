"""The newcomer's walk: what the README says, done word for word from an empty directory."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from support.photos import ROCKET
from support.tools import need
from vexobj_server.testing import free_port, running_server

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS: list[str] = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
STANDARD_URL = "http://127.0.0.1:8000"
START_SECONDS = 600


_OF_UV = ("UV_PROJECT_ENVIRONMENT", "UV_PYTHON")
"""Nox sets them to its own environment, into which `uv run` would then install another checkout."""


def environment() -> dict[str, str]:
    """A newcomer's: the tools of the test environment, no settings of anybody's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VEXOBJ", "AWS_", "VIRTUAL_ENV", "PYTHONPATH", *_OF_UV))
    }
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": ",".join(filter(None, [kept.get("NO_PROXY"), "127.0.0.1"])),
    }


def shell(script: str, folder: Path) -> str:
    done = subprocess.run(
        [need("bash"), "-euc", script], cwd=folder, env=environment(), capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def block(word: str) -> str:
    (found,) = [each for each in BLOCKS if word in each]
    return found


def width(avif: bytes) -> int:
    with Image.open(BytesIO(avif)) as image:
        assert image.format == "AVIF"
        return image.width


def test_try_it(tmp_path: Path) -> None:
    """The `aws` lines, the address for the browser, the curl line."""
    need("aws")
    need("curl")
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(ROCKET, empty / "fox.jpg")
    with running_server(tmp_path / "server/data") as server:
        lines = block("aws s3 mb").replace(STANDARD_URL, server.url)
        lines = lines.replace("AWS_ACCESS_KEY_ID=...", f"AWS_ACCESS_KEY_ID={server.access_key_id}")
        lines = lines.replace(
            "AWS_SECRET_ACCESS_KEY=...", f"AWS_SECRET_ACCESS_KEY={server.secret_access_key}"
        )
        assert "..." not in lines
        curl = block("/v1/stats").replace(STANDARD_URL, server.url)
        *_, stats = shell(lines + curl, empty).splitlines()
        assert json.loads(stats)["total_objects"] == 1
        (address,) = re.findall(rf"<({STANDARD_URL}/\S+)>", README)
        browser = {"accept": "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"}
        shown = httpx.get(
            address.replace(STANDARD_URL, server.url), headers=browser, trust_env=False
        )
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/avif")
    assert width(shown.content) == 300


@dataclass(frozen=True)
class Started:
    """A server as the README's command started it, and what it printed."""

    folder: Path
    url: str
    printed: str


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The committed files of this repository, and nothing else."""
    packed = subprocess.run(
        [need("git"), "-C", ROOT, "archive", "HEAD"], capture_output=True, check=False
    )
    if packed.returncode:
        pytest.skip("not run: this is no git checkout")
    folder = tmp_path / "checkout"
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def started(checkout: Path, tmp_path: Path) -> Iterator[Started]:
    """`uv run vexobj`, word for word but for `pip install uv`: the tests bring uv along."""
    install, start = block("uv run vexobj\n").strip().split(" && ")
    assert install == "python3 -m pip install uv"
    port = free_port()
    log = tmp_path / "log"
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            start.replace("python3", sys.executable, 1).split(),
            cwd=checkout,
            env=environment() | {"VEXOBJ_BIND": f"127.0.0.1:{port}"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(process, url, log)
        print(f"from the first command to a server that answers: {time.monotonic() - began:.1f} s")
        yield Started(checkout, url, log.read_text())
        process.terminate()
        assert process.wait(60) == 0, log.read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)


def wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        if "\naws --endpoint-url" in log.read_text():  # its last words before it listens
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{url}/readyz", trust_env=False).status_code == 200:
                    return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.mark.timeout(START_SECONDS + 120)
def test_the_first_start_and_the_lines_it_prints(started: Started, tmp_path: Path) -> None:
    need("aws")
    need("curl")
    assert (started.folder / "data/admin-credentials").stat().st_mode & 0o777 == 0o600
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(ROCKET, empty / "photo.jpg")
    pasted = [
        line
        for line in started.printed.splitlines()
        if line.startswith(("export ", "curl ", "aws "))
    ]
    assert [line.split()[0] for line in pasted] == ["export"] * 2 + ["curl"] * 3 + ["aws"]
    told = shell("\n".join(pasted), empty)
    assert "photo.jpg" in told.splitlines()[-1], told
    assert width((empty / "small.avif").read_bytes()) == 300


@pytest.mark.timeout(START_SECONDS + 120)
def test_a_checkout_reaches_postgresql(checkout: Path, metadata_url: str) -> None:
    """The guide's first command, word for word: the driver is an extra."""
    guide = (ROOT / "docs/guides/postgresql.md").read_text()
    (line,) = re.findall(r"^(python3 -m uv run .* doctor)\b", guide, re.MULTILINE)
    done = subprocess.run(
        line.replace("python3", sys.executable, 1).split(),
        cwd=checkout,
        env=environment() | {"VEXOBJ_METADATA_URL": metadata_url},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert "PostgreSQL" in done.stdout, f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, done.stdout
