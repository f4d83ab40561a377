"""Write, or check, everything that is generated from the code.

openapi.yaml comes from the routes and models, docs/reference/settings.md from the settings table,
docs/reference/metrics.md from the families of metrics, docs/reference/s3-operations.md from the
table that routes S3 requests and from what the server implements of it.
"""

import argparse
import difflib
import sys
from collections.abc import Callable
from pathlib import Path

from vexobj_s3compat import S3Backend
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations import OPERATIONS
from vexobj_server.observability.reference import metrics_reference
from vexobj_server.rest.app import openapi_document
from vexobj_server.rest.openapi import openapi_yaml
from vexobj_server.s3.backend import VexObjBackend
from vexobj_server.settings import settings_reference

_S3_HEAD = """# S3 operations

What the S3 API answers today, generated from the table that routes requests. Any other S3
subresource is answered `501 NotImplemented`: it never runs the plain verb.

| operation | method | on | subresource or parameters |
|---|---|---|---|
"""


def _asks_for(operation: Operation) -> str:
    names = [operation.subresource, operation.header, operation.selector, *operation.required]
    return " ".join(f"`{name}`" for name in dict.fromkeys(names) if name)


def _is_implemented(operation: Operation) -> bool:
    """Not left to the default, which answers NotImplemented."""
    return getattr(VexObjBackend, operation.backend) is not getattr(S3Backend, operation.backend)


def s3_operations() -> str:
    rows = sorted(
        (operation.name, operation.method, operation.target.name.lower(), _asks_for(operation))
        for operation in OPERATIONS
        if _is_implemented(operation)
    )
    return _S3_HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


ROOT = Path(__file__).parents[2]
GENERATED: dict[str, Callable[[], str]] = {
    "openapi.yaml": lambda: openapi_yaml(openapi_document()),
    "docs/reference/metrics.md": metrics_reference,
    "docs/reference/settings.md": settings_reference,
    "docs/reference/s3-operations.md": s3_operations,
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
