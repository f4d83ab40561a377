"""Write, or check, everything that is generated from the code.

openapi.yaml comes from the routes and models, docs/reference/settings.md from the settings table.
"""

import argparse
import difflib
import sys
from collections.abc import Callable
from pathlib import Path

from vexobj_server.rest.openapi import openapi_document
from vexobj_server.settings import settings_reference

ROOT = Path(__file__).parents[2]
GENERATED: dict[str, Callable[[], str]] = {
    "openapi.yaml": openapi_document,
    "docs/reference/settings.md": settings_reference,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, show the drift")
    check = parser.parse_args().check
    drifted = False
    for name, generate in GENERATED.items():
        path, wanted = ROOT / name, generate()
        found = path.read_text() if path.exists() else ""
        if found == wanted:
            continue
        if check:
            drifted = True
            lines = difflib.unified_diff(
                found.splitlines(True), wanted.splitlines(True), name, f"{name} (generated)"
            )
            sys.stderr.writelines(lines)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted)
    return int(drifted)


if __name__ == "__main__":
    raise SystemExit(main())
