"""The pins of every dependency, in one file: constraints.txt, mirrored into `[tool.uv]`.

`--update` resolves the newest versions that fit; without it the mirror is compared.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "constraints.txt"
PYPROJECT = ROOT / "pyproject.toml"
BEGIN = "# pins: written from constraints.txt\n"
END = "# end of pins\n"


def pins() -> list[str]:
    lines = CONSTRAINTS.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def mirror() -> str:
    """The settings that make `uv run` use the same versions as `pip install -c`."""
    rows = "".join(f'    "{pin.replace(chr(34), chr(39))}",\n' for pin in pins())
    return f"{BEGIN}constraint-dependencies = [\n{rows}]\n{END}"


def resolve() -> str:
    command = [
        sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--upgrade",
        "--python-version=3.11", "--no-header", "--no-annotate", "--no-emit-index-url",
        "--no-emit-find-links", "--group=test", "--group=check", "--all-extras",
        "pyproject.toml",
        *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("packages/*/pyproject.toml"))),
        "sdks/python/pyproject.toml",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line and " @ " not in line]
    return "".join(
        f"{line}\n" for line in lines if not line.startswith(("-e", ".", "#", "vexobj", "file:"))
    )


def update() -> None:
    CONSTRAINTS.write_text(resolve())
    text = PYPROJECT.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PYPROJECT.write_text(head + mirror() + tail)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true")
    if parser.parse_args().update:
        update()
    if mirror() in PYPROJECT.read_text():
        return 0
    print("pyproject.toml does not mirror constraints.txt: run `nox -s pins`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
