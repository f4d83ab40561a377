"""What is run on VexObj: `nox -s tests` is what CI and the README run; `nox -l` lists the rest."""

from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.sessions = ["tests"]
nox.options.reuse_existing_virtualenvs = True

ROOT = Path(__file__).parent
PACKAGES = sorted(
    str(path.parent.relative_to(ROOT)) for path in ROOT.glob("packages/*/pyproject.toml")
)
EDITABLE = [*PACKAGES, "sdks/python"]
PINS = ("-c", "constraints.txt")


def install(session: nox.Session, *groups: str) -> None:
    """The workspace, editable, and dependency groups, all at the pinned versions."""
    wanted = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), *groups)
    editable = [part for path in EDITABLE for part in ("-e", f"./{path}")]
    session.install("-q", *PINS, *wanted, *editable)


def lint(session: nox.Session) -> None:
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


def types(session: nox.Session) -> None:
    session.run("mypy", *(f"{path}/src" for path in EDITABLE), "noxfile.py")
    for path in (*(f"{path}/tests" for path in EDITABLE), "tests", "benchmarks"):
        if any((ROOT / path).rglob("*.py")):
            session.run("mypy", path)


def contract(session: nox.Session) -> None:
    """Everything that is generated, generated again: a difference is a failure."""
    session.run("python", "tests/contract/regenerate.py", "--check")


@nox.session
def tests(session: nox.Session) -> None:
    """All that must hold before a change lands."""
    install(session, "test", "check")
    lint(session)
    types(session)
    contract(session)
    session.run("pytest", "--durations=20", *session.posargs)


@nox.session(name="lint")
def lint_session(session: nox.Session) -> None:
    """Style and import contracts only."""
    install(session, "check")
    lint(session)


@nox.session(name="types")
def types_session(session: nox.Session) -> None:
    """Types only."""
    install(session, "test", "check")
    types(session)


@nox.session(name="contract")
def contract_session(session: nox.Session) -> None:
    """Generate openapi.yaml and the reference pages again; `-- --check` only shows the drift."""
    install(session, "test", "check")
    session.run("python", "tests/contract/regenerate.py", *session.posargs)


@nox.session
def torture(session: nox.Session) -> None:
    """The long crash, race and load runs; their last figures are in docs/reference/torture.md."""
    install(session, "test")
    session.run("pytest", "-m", "torture", "--timeout=7200", "-s", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Print the figures of this machine and write them to benchmarks/results/."""
    install(session, "test")
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session(venv_backend="none")
def pins(session: nox.Session) -> None:
    """Resolve the newest versions that fit, into constraints.txt and the workspace's settings."""
    session.run("python3", "tests/contract/pins.py", "--update", external=True)
