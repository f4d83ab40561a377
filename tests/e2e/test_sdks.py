"""The three clients' own suites, each against a real server."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.tools import need
from vexobj_server.testing import RunningServer

SDKS = Path(__file__).parents[2] / "sdks"


def run(folder: Path, *command: str, **env: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True,
        timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def address(server: RunningServer) -> dict[str, str]:
    return {"VEXOBJ_URL": server.url, "VEXOBJ_KEY": server.secret_access_key}


@pytest.mark.timeout(300)
def test_go(address: dict[str, str]) -> None:
    go = need("go")
    folder = SDKS / "go"
    assert run(folder, "gofmt", "-l", ".") == ""
    run(folder, go, "vet", "./...")
    run(folder, go, "test", "-race", "-count=1", "./...", **address)


@pytest.mark.timeout(300)
def test_typescript(address: dict[str, str], tmp_path: Path) -> None:
    npm = need("npm")
    folder = tmp_path / "typescript"
    shutil.copytree(
        SDKS / "typescript", folder, ignore=shutil.ignore_patterns("node_modules", "dist")
    )
    run(folder, npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    run(folder, npm, "test", **address)
