"""Walks the table of settings: every key with its path, names, kind, default and meaning."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from vexobj_server.settings.kinds import Kind
from vexobj_server.settings.tables import Settings, WebhookSettings

WEBHOOK_TABLE = "webhooks"
WEBHOOK_ENV = "VEXOBJ_WEBHOOK_"


@dataclass(frozen=True, slots=True)
class Setting:
    """`table` is the path of the TOML table. The first of `env` wins over the second."""

    table: tuple[str, ...]
    name: str
    env: tuple[str, ...]
    kind: Kind
    default: Any
    meaning: str
    secret: bool
    since: str | None

    @property
    def path(self) -> str:
        return ".".join((*self.table, self.name))


def all_settings() -> tuple[Setting, ...]:
    """Every key of the file that is no list, in the order of the table."""
    return tuple(_walk(Settings(), ()))


def webhook_settings() -> tuple[Setting, ...]:
    return tuple(_walk(WebhookSettings(), (WEBHOOK_TABLE,)))


def _walk(section: Any, table: tuple[str, ...]) -> Iterator[Setting]:
    for each in fields(section):
        value = getattr(section, each.name)
        if is_dataclass(value) and "kind" not in each.metadata:
            yield from _walk(value, (*table, each.name))
        elif "kind" in each.metadata:
            yield Setting(
                table=table,
                name=each.name,
                env=_env_names(table, each.name, each.metadata["env"]),
                kind=each.metadata["kind"],
                default=value,
                meaning=each.metadata["meaning"],
                secret=each.metadata["secret"],
                since=each.metadata["since"],
            )


def _env_names(table: tuple[str, ...], name: str, extra: str | None) -> tuple[str, ...]:
    if table == (WEBHOOK_TABLE,):
        return (WEBHOOK_ENV + name.upper(),)
    own = "_".join(("VEXOBJ", *table, name)).upper()
    return (own,) if extra is None else (own, extra)
