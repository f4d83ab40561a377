"""From a TOML file and the environment to `Settings`; every mistake becomes one sentence."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from vexobj_server.settings.errors import SettingsError
from vexobj_server.settings.kinds import HEX_SECRET
from vexobj_server.settings.schema import (
    WEBHOOK_TABLE,
    Setting,
    all_settings,
    webhook_settings,
)
from vexobj_server.settings.tables import Settings, StorageSettings, WebhookSettings

CONFIG_VARIABLE = "VEXOBJ_CONFIG"
DEFAULT_CONFIG = Path("config.toml")

_OTHER_PROGRAMS = frozenset(
    {
        CONFIG_VARIABLE,
        "VEXOBJ_URL",
        "VEXOBJ_KEY",
        "VEXOBJ_PRIMARY_KEY",
        "VEXOBJ_LOCAL_KEY",
    }
)

_LEAST_PART = 5 * 1024**2
_CREDENTIALS = re.compile(r"//[^/@]*@")

Values = dict[tuple[str, ...], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """`warnings` are sentences for the operator that do not stop the start."""

    settings: Settings
    warnings: tuple[str, ...]
    config: Path | None


def load_settings(environment: Mapping[str, str], directory: Path | None = None) -> Loaded:
    """Defaults, then the file (`VEXOBJ_CONFIG`, else ./config.toml), then the environment.

    An empty variable or text counts as not set. A secret may also come from the file that
    `<VARIABLE>_FILE` names.

    Raises: SettingsError.
    """
    config = _config_path(environment, directory or Path())
    document = {} if config is None else _read_toml(config)
    values, webhooks = _from_document(document, str(config))
    _add_environment(values, environment)
    hook = _environment_webhook(environment)
    settings = _with_master_key(_build(values, (*webhooks, *(() if hook is None else (hook,)))))
    _check_together(settings)
    return Loaded(settings, (*_unknown(environment), *_not_yet(values)), config)


def _config_path(environment: Mapping[str, str], directory: Path) -> Path | None:
    named = environment.get(CONFIG_VARIABLE)
    if named:
        path = directory / Path(named).expanduser()
        if not path.is_file():
            raise SettingsError(f"{CONFIG_VARIABLE} names {named}, and there is no such file.")
        return path
    path = directory / DEFAULT_CONFIG
    return path if path.is_file() else None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None


def _from_document(
    document: Mapping[str, Any], origin: str
) -> tuple[Values, tuple[WebhookSettings, ...]]:
    rest = dict(document)
    hooks = rest.pop(WEBHOOK_TABLE, [])
    if not isinstance(hooks, list) or not all(isinstance(hook, dict) for hook in hooks):
        raise SettingsError(f"{origin}: webhooks is a list of tables, written [[webhooks]].")
    values: Values = {}
    _read_table(rest, (), _by_table(all_settings()), values, origin)
    return values, tuple(_webhook(hook, origin) for hook in hooks)


def _by_table(settings: tuple[Setting, ...]) -> dict[tuple[str, ...], dict[str, Setting]]:
    tables: dict[tuple[str, ...], dict[str, Setting]] = {(): {}}
    for setting in settings:
        tables.setdefault(setting.table, {})[setting.name] = setting
    return tables


def _read_table(
    table: Mapping[str, Any],
    path: tuple[str, ...],
    known: dict[tuple[str, ...], dict[str, Setting]],
    values: Values,
    origin: str,
) -> None:
    for name, raw in table.items():
        setting = known[path].get(name)
        if setting is not None:
            if raw != "":
                given = values.setdefault(path, {})
                given[name] = _parse(setting, raw, f"{origin}: {setting.path}")
        elif (*path, name) in known:
            if not isinstance(raw, dict):
                raise SettingsError(f"{origin}: {'.'.join((*path, name))} is a table of settings.")
            _read_table(raw, (*path, name), known, values, origin)
        else:
            raise SettingsError(_no_such_key((*path, name), known, origin))


def _no_such_key(
    path: tuple[str, ...], known: dict[tuple[str, ...], dict[str, Setting]], origin: str
) -> str:
    wanted = ".".join(path)
    names = [setting.path for settings in known.values() for setting in settings.values()]
    names += [".".join(table) for table in known if table] + [WEBHOOK_TABLE]
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.6)
    near = near or [name for name in names if name.rpartition(".")[2] == path[-1]][:1]
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"{origin}: there is no setting {wanted}{hint}"


def _parse(setting: Setting, raw: object, origin: str) -> Any:
    try:
        return setting.kind.parse(raw)
    except ValueError as error:
        shown = "the value" if setting.secret else _CREDENTIALS.sub("//***@", repr(raw))
        raise SettingsError(f"{origin}: {shown} is not {error}.") from None


def _webhook(table: Mapping[str, Any], origin: str) -> WebhookSettings:
    values: Values = {}
    known = _by_table(webhook_settings())
    _read_table(table, (WEBHOOK_TABLE,), known, values, origin)
    hook = WebhookSettings(**values.get((WEBHOOK_TABLE,), {}))
    if not hook.url:
        raise SettingsError(f"{origin}: webhooks.url is missing.")
    return hook


def _add_environment(values: Values, environment: Mapping[str, str]) -> None:
    for setting in all_settings():
        found = _variable(setting, environment)
        if found is not None:
            name, raw = found
            values.setdefault(setting.table, {})[setting.name] = _parse(setting, raw, name)


def _variable(setting: Setting, environment: Mapping[str, str]) -> tuple[str, str] | None:
    for name in setting.env:
        if environment.get(name):
            return name, environment[name]
        path = environment.get(f"{name}_FILE") if setting.secret else None
        if path:
            try:
                return f"{name}_FILE", Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise SettingsError(f"{name}_FILE: {path} cannot be read.") from None
    return None


def _environment_webhook(environment: Mapping[str, str]) -> WebhookSettings | None:
    values = {}
    for setting in webhook_settings():
        found = _variable(setting, environment)
        if found is not None:
            values[setting.name] = _parse(setting, found[1], found[0])
    if not values:
        return None
    if "url" not in values:
        raise SettingsError("VEXOBJ_WEBHOOK_URL is missing beside the other webhook variables.")
    return WebhookSettings(**values)


def _build(values: Values, webhooks: tuple[WebhookSettings, ...]) -> Settings:
    def section(current: Any, path: tuple[str, ...]) -> Any:
        changes = dict(values.get(path, {}))
        for each in fields(current):
            inner = getattr(current, each.name)
            if is_dataclass(inner) and "kind" not in each.metadata:
                changes[each.name] = section(inner, (*path, each.name))
        return replace(current, **changes)

    settings = section(Settings(), ())
    assert isinstance(settings, Settings)
    return replace(settings, webhooks=webhooks)


def _with_master_key(settings: Settings) -> Settings:
    """With what `sse.master_key_file` holds in the place of the key itself."""
    sse = settings.sse
    if sse.master_key_file is None:
        return settings
    try:
        found = HEX_SECRET.parse(sse.master_key_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"sse.master_key_file: {sse.master_key_file} cannot be read.") from None
    except ValueError as error:
        raise SettingsError(
            f"sse.master_key_file: {sse.master_key_file} does not hold {error}."
        ) from None
    if sse.master_key not in {None, found}:
        raise SettingsError("sse.master_key and sse.master_key_file differ: set one of them.")
    return replace(settings, sse=replace(sse, master_key=found))


def _check_together(settings: Settings) -> None:
    """What no single value shows. Safety that was asked for and is not there stops the start."""
    tls, auth = settings.tls, settings.auth
    if tls.enabled and (tls.cert_path is None or tls.key_path is None):
        raise SettingsError("tls.enabled needs tls.cert_path and tls.key_path.")
    if (auth.root_access_key_id is None) != (auth.root_secret_access_key is None):
        raise SettingsError(
            "auth.root_access_key_id and auth.root_secret_access_key go together:"
            " set both or neither."
        )
    if not 1 <= settings.server.header_timeout.total_seconds() <= 60:
        raise SettingsError("server.header_timeout is not between 1 and 60 seconds.")
    if not 1 <= settings.webhook_delivery.timeout.total_seconds() <= 60:
        raise SettingsError("webhook_delivery.timeout is not between 1 and 60 seconds.")
    if settings.sse.enabled and settings.sse.master_key is None:
        raise SettingsError(
            "sse.enabled needs sse.master_key (or sse.master_key_file): openssl rand -hex 32"
        )
    _check_remote(settings.storage)
    url = settings.metadata.url
    if url is not None and not url.startswith(("postgresql://", "postgres://")):
        raise SettingsError("metadata.url is not a postgresql:// URL; leave it out for SQLite.")


def _check_remote(storage: StorageSettings) -> None:
    remote = storage.s3
    if storage.backend == "s3" and (remote.endpoint is None or remote.bucket is None):
        raise SettingsError("storage.backend: s3 needs storage.s3.endpoint and storage.s3.bucket.")
    if remote.endpoint is None:
        return
    if (remote.access_key is None) != (remote.secret_key is None):
        raise SettingsError(
            "storage.s3.access_key and storage.s3.secret_key go together: set both or neither."
        )
    if remote.part_size < _LEAST_PART:
        raise SettingsError("storage.s3.part_size is below 5 MiB, the least that S3 allows.")


def _unknown(environment: Mapping[str, str]) -> tuple[str, ...]:
    known = set(_OTHER_PROGRAMS)
    for setting in (*all_settings(), *webhook_settings()):
        known.update(setting.env)
        known.update(f"{name}_FILE" for name in setting.env if setting.secret)
    names = sorted(set(environment) - known)
    return tuple(_unknown_variable(name, known) for name in names if name.startswith("VEXOBJ_"))


def _unknown_variable(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.8)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"The environment variable {name} is not known and does nothing{hint}"


def _not_yet(values: Values) -> tuple[str, ...]:
    given = [
        setting
        for setting in all_settings()
        if setting.since is not None
        and values.get(setting.table, {}).get(setting.name, setting.default) != setting.default
    ]
    return tuple(f"{each.path} takes effect from version {each.since} on." for each in given)
