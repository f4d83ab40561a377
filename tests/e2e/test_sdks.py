"""The Go and TypeScript clients: their own suites and README examples, against a real server."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.tools import need
from vexobj_sdk import VexObj
from vexobj_server.testing import RunningServer

ROOT = Path(__file__).parents[2]
SDKS = ROOT / "sdks"
STANDARD_URL = "http://127.0.0.1:8000"

GO_MODULE = """module example

go 1.23

require github.com/vexobj/vexobj/sdks/go v0.0.0

replace github.com/vexobj/vexobj/sdks/go => {folder}
"""


def run(folder: Path, *command: str | Path, **env: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True,
        timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def example(sdk: str, language: str, server: RunningServer) -> str:
    """The README's, for a server on another port."""
    text = (SDKS / sdk / "README.md").read_text()
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert STANDARD_URL in found
    return str(found).replace(STANDARD_URL, server.url)


def forget_letters(server: RunningServer) -> None:
    """What the examples have made."""
    with VexObj(server.url, server.secret_access_key) as client:
        client.delete_object("letters", "hello.txt")
        client.delete_bucket("letters")


@pytest.fixture
def address(server: RunningServer) -> dict[str, str]:
    return {
        "VEXOBJ_URL": server.url,
        "VEXOBJ_KEY": server.secret_access_key,
        "VEXOBJ_OPENAPI": str(ROOT / "openapi.yaml"),
    }


@pytest.fixture(scope="session")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the TypeScript client, built, with its compiler beside it."""
    folder = tmp_path_factory.mktemp("sdks") / "typescript"
    shutil.copytree(
        SDKS / "typescript", folder, ignore=shutil.ignore_patterns("node_modules", "dist")
    )
    run(folder, need("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    run(folder, need("npm"), "run", "build")
    return folder


@pytest.mark.timeout(300)
def test_go(address: dict[str, str]) -> None:
    go = need("go")
    folder = SDKS / "go"
    assert run(folder, need("gofmt"), "-l", ".") == ""
    run(folder, go, "vet", "./...")
    run(folder, go, "test", "-race", "-count=1", "./...", **address)


@pytest.mark.timeout(300)
def test_go_readme(address: dict[str, str], server: RunningServer, tmp_path: Path) -> None:
    go = need("go")
    (tmp_path / "main.go").write_text(example("go", "go", server))
    (tmp_path / "go.mod").write_text(GO_MODULE.format(folder=SDKS / "go"))
    assert run(tmp_path, go, "run", ".", **address) == "hello.txt 5\n"
    forget_letters(server)


@pytest.mark.timeout(300)
def test_typescript(address: dict[str, str], typescript: Path) -> None:
    run(typescript, need("npm"), "test", **address)


@pytest.mark.timeout(300)
def test_typescript_readme(
    address: dict[str, str], server: RunningServer, typescript: Path
) -> None:
    """Compiled under the strict settings too, and with the package's own exports."""
    npm, node = need("npm"), need("node")
    (typescript / "src/readme.ts").write_text(example("typescript", "ts", server))
    run(typescript, npm, "run", "build")
    shown = run(typescript, node, "dist/src/readme.js", **address).splitlines()
    image = f"{server.url}/v1/object/photos?key=fox.jpg&w=300&format=auto"
    assert shown == ["hello.txt 5", "hello", image]
    forget_letters(server)


def test_the_lock_names_no_registry() -> None:
    assert '"resolved"' not in (SDKS / "typescript/package-lock.json").read_text()


SCHEMAS: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text())["components"][
    "schemas"
]
FOR_PEOPLE = {"warning", "size_human", "total_size_human", "disk_usage_human"}
TYPESCRIPT = {
    "ApiKey": "ApiKey", "BucketInfo": "Bucket", "BucketSettings": "BucketSettings",
    "BucketStats": "BucketStats", "CreatedApiKey": "CreatedApiKey", "GcResult": "GcResult",
    "Health": "Health", "IdentityInfo": "Identity", "KeyPermissions": "Permissions",
    "ObjectList": "ObjectList", "ObjectMeta": "ObjectMeta", "Stats": "Stats", "Usage": "Usage",
}  # fmt: skip
GO = {schema: name for schema, name in TYPESCRIPT.items() if schema != "ObjectList"} | {
    "ApiKey": "APIKey", "CreatedApiKey": "CreatedAPIKey", "GcResult": "GCResult",
}  # fmt: skip


@pytest.mark.parametrize("schema", sorted(TYPESCRIPT))
def test_typescript_has_every_field(schema: str) -> None:
    source = (SDKS / "typescript/src/types.ts").read_text()
    body = re.search(
        rf"^export interface {TYPESCRIPT[schema]} {{\n(.*?)^}}", source, re.MULTILINE | re.DOTALL
    )
    assert body
    fields = set(re.findall(r"^  (\w+)\??:", body.group(1), re.MULTILINE))
    assert fields == SCHEMAS[schema]["properties"].keys() - FOR_PEOPLE


@pytest.mark.parametrize("schema", sorted(GO))
def test_go_has_every_field(schema: str) -> None:
    source = "\n".join(path.read_text() for path in sorted((SDKS / "go").glob("*.go")))
    body = re.search(rf"^type {GO[schema]} struct {{\n(.*?)^}}", source, re.MULTILINE | re.DOTALL)
    assert body
    fields = set(re.findall(r'`json:"(\w+)', body.group(1)))
    assert fields == SCHEMAS[schema]["properties"].keys() - FOR_PEOPLE
