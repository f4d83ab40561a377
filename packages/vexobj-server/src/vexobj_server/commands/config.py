"""`vexobj config check | reference`."""

import sys
from collections.abc import Mapping

from vexobj_server.settings import load_settings, settings_reference


def check(environment: Mapping[str, str]) -> int:
    """0 when the server would start with these settings. Raises: SettingsError."""
    loaded = load_settings(environment)
    for warning in loaded.warnings:
        sys.stdout.write(f"warning: {warning}\n")
    origin = "no file" if loaded.config is None else str(loaded.config)
    sys.stdout.write(f"The settings are fine (from {origin} and the environment).\n")
    return 0


def reference() -> int:
    sys.stdout.write(settings_reference())
    return 0
