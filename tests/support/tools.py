"""Programs that a test needs and a machine may lack."""

import glob
import os
import shutil

import pytest


def need(tool: str) -> str:
    """The path of a program; where it is missing the test is skipped by name, in CI it fails."""
    found = shutil.which(tool) or next(iter(sorted(glob.glob(tool))), None)  # noqa: PTH207
    if found:
        return found
    reason = f"not run: {tool} is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
