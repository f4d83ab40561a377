"""Each package is built, installed alone, and runs the example of its README."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECTS = {
    tomllib.loads(path.read_text())["project"]["name"]: path.parent
    for path in (*ROOT.glob("packages/*/pyproject.toml"), ROOT / "sdks/python/pyproject.toml")
}
UV = (sys.executable, "-m", "uv")


def dependencies(name: str) -> set[str]:
    """The workspace's own packages that `name` needs, itself included."""
    project = tomllib.loads((PROJECTS[name] / "pyproject.toml").read_text())["project"]
    direct = {re.split(r"[\[<>=~! ]", text)[0] for text in project["dependencies"]}
    own = direct & PROJECTS.keys()
    return {name}.union(*(dependencies(other) for other in own))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every project's wheel, built from its sdist's worth of files only."""
    out = tmp_path_factory.mktemp("wheels")
    for folder in PROJECTS.values():
        run(*UV, "build", "-q", "--wheel", "--out-dir", str(out), str(folder))
    found = {name: next(out.glob(f"{name.replace('-', '_')}-*.whl")) for name in PROJECTS}
    assert len(set(found.values())) == len(PROJECTS)
    return found


def run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def examples(folder: Path) -> Iterator[str]:
    text = (folder / "README.md").read_text()
    yield from re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_installs_alone_and_runs_its_example(
    name: str, wheels: dict[str, Path], tmp_path: Path
) -> None:
    python = tmp_path / "venv/bin/python"
    run(*UV, "venv", "-q", "--python", sys.executable, str(tmp_path / "venv"))
    needed = [str(wheels[own]) for own in sorted(dependencies(name))]
    pins = str(ROOT / "constraints.txt")
    run(*UV, "pip", "install", "-q", "--python", str(python), "-c", pins, *needed)
    installed = run(*UV, "pip", "freeze", "--python", str(python))
    own = {line.split(" ")[0].split("=")[0] for line in installed.splitlines()} & PROJECTS.keys()
    assert own == dependencies(name)
    code = list(examples(PROJECTS[name]))
    assert code, "a README without an example"
    empty = tmp_path / "empty"
    empty.mkdir()
    for example in code:
        run(str(python), "-W", "error", "-c", example, cwd=empty)


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_carries_its_papers(name: str) -> None:
    folder = PROJECTS[name]
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["license"] == "MIT"
    assert project["requires-python"] == ">=3.11"
    assert re.search(r"^## ", (folder / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert list(folder.glob("src/*/py.typed"))
