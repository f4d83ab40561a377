"""The reference page of the settings, made from their table."""

from datetime import timedelta
from typing import Any

from vexobj_server.settings.schema import Setting, all_settings, webhook_settings

_INTRODUCTION = """\
# Settings

Settings come from defaults, then from a TOML file (the one that `VEXOBJ_CONFIG` names, else
`config.toml` in the working directory), then from the environment. `vexobj config check` reads
them all and says what is wrong.

A key that is not known and a value that cannot be read stop the start; an unknown `VEXOBJ_*`
variable is only warned about. An empty text or variable counts as not set. Sizes are written
`512KB`, `16MiB` or `5TB` (K, M, G and T are powers of 1024 in either form), durations `500ms`,
`30s`, `10m`, `24h` or `7d`, lists as TOML lists or, in a variable, separated by commas. A secret
may also come from a file: `<VARIABLE>_FILE` names it.
"""
_HEADING = "| Key | Environment | Kind | Default | Meaning |\n|---|---|---|---|---|"
_UNITS = ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))
_DURATIONS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def settings_reference() -> str:
    """Markdown, ending with a newline."""
    tables: dict[str, list[Setting]] = {}
    for setting in all_settings():
        tables.setdefault(".".join(setting.table), []).append(setting)
    parts = [_INTRODUCTION]
    parts += [_table(f"[{name}]", settings) for name, settings in tables.items()]
    parts.append(_table("[[webhooks]]", list(webhook_settings())))
    return "\n".join(parts)


def _table(title: str, settings: list[Setting]) -> str:
    return "\n".join((f"## {title}", "", _HEADING, *(_row(each) for each in settings), ""))


def _row(setting: Setting) -> str:
    names = ", ".join(f"`{name}`" for name in setting.env)
    meaning = setting.meaning
    if setting.since is not None:
        meaning += f" Takes effect from version {setting.since} on."
    default = _default(setting)
    return f"| `{setting.name}` | {names} | {setting.kind.name} | {default} | {meaning} |"


def _default(setting: Setting) -> str:
    value: Any = setting.default
    if value is None or value in ((), ""):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, timedelta):
        return f"`{_in_units(int(value.total_seconds()), _DURATIONS)}`"
    if setting.kind.name == "size":
        return f"`{_in_units(value, _UNITS)}`"
    if isinstance(value, tuple):
        return f"`{','.join(str(each) for each in value)}`"
    return f"`{value}`"


def _in_units(value: int, units: tuple[tuple[int, str], ...]) -> str:
    for size, unit in units:
        if value and value % size == 0:
            return f"{value // size}{unit}"
    return str(value)
