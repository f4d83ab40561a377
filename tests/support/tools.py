"""Programs and packages that a test needs and a machine may lack."""

import glob
import os
import shutil
from typing import NoReturn

import pytest


def need(tool: str) -> str:
    """The path of a program; where it is missing the test is skipped by name, in CI it fails."""
    found = shutil.which(tool) or next(iter(sorted(glob.glob(tool))), None)  # noqa: PTH207
    if not found:
        missing(tool)
    return found


def missing(tool: str) -> NoReturn:
    """Say by name that a test did not run; CI skips nothing."""
    reason = f"not run: {tool} is not installed"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(reason)
    pytest.skip(reason)
