"""Settings: every promised name, every kind of value, and a sentence for every mistake."""

import ipaddress
import pickle
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vexobj_server.settings import (
    Bind,
    Settings,
    SettingsError,
    WebhookSettings,
    load_settings,
    settings_reference,
)
from vexobj_server.settings.kinds import DURATION, SIZE
from vexobj_server.settings.schema import all_settings

HEX_KEY = "0123456789abcdef" * 4


def load(directory: Path, toml: str = "", **environment: str) -> Settings:
    if toml:
        (directory / "config.toml").write_text(toml, encoding="utf-8")
    return load_settings(environment, directory).settings


def get(settings: Any, path: str) -> Any:
    for name in path.split("."):
        settings = getattr(settings, name)
    return settings


def test_defaults_need_neither_file_nor_environment(tmp_path: Path) -> None:
    loaded = load_settings({}, tmp_path)
    assert loaded.settings == Settings()
    assert loaded.warnings == ()
    assert loaded.config is None


@pytest.mark.parametrize(
    ("variable", "value", "path", "expected"),
    [
        ("VEXOBJ_BIND", "127.0.0.1:9000", "server.bind", Bind("127.0.0.1", 9000)),
        ("VEXOBJ_DATA_DIR", "/srv/media", "storage.data_dir", Path("/srv/media")),
        ("VEXOBJ_MAX_FILE_SIZE", "5GB", "storage.max_file_size", 5 * 1024**3),
        ("VEXOBJ_DEDUPLICATION", "false", "storage.deduplication", False),
        ("VEXOBJ_STORAGE_BACKEND", "local", "storage.backend", "local"),
        (
            "VEXOBJ_ALLOW_PRIVATE_SOURCE_URLS",
            "true",
            "storage.allow_private_source_urls",
            True,
        ),
        (
            "VEXOBJ_S3_ENDPOINT",
            "https://s3.example.com/",
            "storage.s3.endpoint",
            "https://s3.example.com",
        ),
        ("VEXOBJ_S3_BUCKET", "blobs", "storage.s3.bucket", "blobs"),
        ("VEXOBJ_S3_ACCESS_KEY", "id", "storage.s3.access_key", "id"),
        ("VEXOBJ_S3_SECRET_KEY", "secret", "storage.s3.secret_key", "secret"),
        ("VEXOBJ_S3_REGION", "eu-west-1", "storage.s3.region", "eu-west-1"),
        ("VEXOBJ_S3_PATH_STYLE", "false", "storage.s3.path_style", False),
        ("VEXOBJ_CACHE_MEMORY_SIZE", "64MB", "cache.memory_size", 64 * 1024**2),
        ("VEXOBJ_CACHE_DISK_SIZE", "0", "cache.disk_size", 0),
        ("VEXOBJ_AUTH_ENABLED", "false", "auth.enabled", False),
        ("VEXOBJ_TLS_CERT_PATH", "c.pem", "tls.cert_path", Path("c.pem")),
        ("VEXOBJ_TLS_KEY_PATH", "k.pem", "tls.key_path", Path("k.pem")),
        ("VEXOBJ_RATE_LIMIT_ENABLED", "true", "rate_limit.enabled", True),
        ("VEXOBJ_RATE_LIMIT_MAX", "10", "rate_limit.max_requests", 10),
        ("VEXOBJ_RATE_LIMIT_WINDOW", "30", "rate_limit.window_secs", 30),
        ("VEXOBJ_QUOTAS_ENABLED", "true", "quotas.enabled", True),
        ("VEXOBJ_QUOTAS_MAX_STORAGE", "5TB", "quotas.default_max_storage", 5 * 1024**4),
        ("VEXOBJ_QUOTAS_MAX_OBJECTS", "7", "quotas.default_max_objects", 7),
        ("VEXOBJ_SSE_ENABLED", "false", "sse.enabled", False),
        ("VEXOBJ_SSE_MASTER_KEY", HEX_KEY.upper(), "sse.master_key", HEX_KEY),
        ("VEXOBJ_TRANSCODE_WORKERS", "3", "transcode.workers", 3),
        ("VEXOBJ_TRANSCODE_MAX_PENDING", "0", "transcode.max_pending", 0),
        ("VEXOBJ_TRANSCODE_GC_DAYS", "0", "transcode.gc_after_days", 0),
        ("RUST_LOG", "warn,tower=debug", "server.log_level", "warning"),
        ("VEXOBJ_SERVER_WORKERS", "4", "server.workers", 4),
        ("VEXOBJ_SERVER_LOG_FORMAT", "JSON", "server.log_format", "json"),
        (
            "VEXOBJ_SERVER_TRUSTED_PROXIES",
            "127.0.0.1, 10.0.0.0/8, ::1",
            "server.trusted_proxies",
            (
                ipaddress.ip_network("127.0.0.1/32"),
                ipaddress.ip_network("10.0.0.0/8"),
                ipaddress.ip_network("::1/128"),
            ),
        ),
        ("VEXOBJ_METRICS_TOKEN", "t", "metrics.token", "t"),
        ("VEXOBJ_METADATA_URL", "postgresql://u@db/x", "metadata.url", "postgresql://u@db/x"),
        ("VEXOBJ_IMAGES_DEFAULT_QUALITY", "90", "images.default_quality", 90),
    ],
)
def test_environment(tmp_path: Path, variable: str, value: str, path: str, expected: Any) -> None:
    loaded = load_settings({variable: value}, tmp_path)
    assert get(loaded.settings, path) == expected
    assert not any("not known" in warning for warning in loaded.warnings)


def test_the_file_as_the_documentation_shows_it(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        [server]
        bind = "[::]:8080"
        workers = 2
        trusted_proxies = ["127.0.0.1"]
        upload_timeout = 90
        [storage]
        data_dir = "/srv/media"
        max_file_size = "10GiB"
        gc_grace = "1h"
        [storage.s3]
        path_style = false
        [[webhooks]]
        url = "https://example.com/hook"
        events = ["object.created"]
        secret = "s"
        [[webhooks]]
        url = "https://example.com/other"
        """,
        VEXOBJ_WEBHOOK_URL="https://example.com/third",
        VEXOBJ_WEBHOOK_EVENTS="object.created,object.deleted",
    )
    assert settings.server.bind == Bind("::", 8080)
    assert str(settings.server.bind) == "[::]:8080"
    assert settings.server.upload_timeout == timedelta(seconds=90)
    assert settings.storage.max_file_size == 10 * 1024**3
    assert settings.storage.gc_grace == timedelta(hours=1)
    assert settings.storage.s3.path_style is False
    assert [hook.url[-5:] for hook in settings.webhooks] == ["/hook", "other", "third"]
    assert settings.webhooks[0] == WebhookSettings(
        url="https://example.com/hook", events=("object.created",), secret="s"
    )
    assert settings.webhooks[1].events == ("*",)
    assert settings.webhooks[2].events == ("object.created", "object.deleted")


def test_environment_wins_over_file_and_empty_counts_as_not_set(tmp_path: Path) -> None:
    toml = "[server]\nworkers = 2\nregion = 'eu-west-1'\n"
    settings = load(tmp_path, toml, VEXOBJ_SERVER_WORKERS="3", VEXOBJ_SERVER_REGION="")
    assert settings.server.workers == 3
    assert settings.server.region == "eu-west-1"


def test_empty_text_in_the_file_counts_as_not_set(tmp_path: Path) -> None:
    empty = '[sse]\nmaster_key = ""\n[tls]\ncert_path = ""\n[storage.s3]\nendpoint = ""\n'
    assert load(tmp_path, empty) == Settings()


def test_the_full_name_wins_over_the_short_one(tmp_path: Path) -> None:
    settings = load(tmp_path, VEXOBJ_BIND=":1000", VEXOBJ_SERVER_BIND=":2000")
    assert settings.server.bind == Bind("0.0.0.0", 2000)


def test_secrets_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(HEX_KEY + "\n", encoding="utf-8")
    settings = load(tmp_path, VEXOBJ_SSE_MASTER_KEY_FILE=str(tmp_path / "key"))
    assert settings.sse.master_key == HEX_KEY


@pytest.mark.parametrize(
    ("toml", "environment", "sentence"),
    [
        (
            "[server]\nworkerz = 2",
            {},
            "config.toml: there is no setting server.workerz; did you mean server.workers?",
        ),
        ("[sever]\nworkers = 2", {}, "there is no setting sever"),
        ("data_dir = 'x'", {}, "there is no setting data_dir; did you mean storage.data_dir?"),
        ("server = 3", {}, "server is a table of settings."),
        ("[server]\nworkers = 'many'", {}, "server.workers: 'many' is not a whole number."),
        ("[server]\nworkers = true", {}, "server.workers: True is not a whole number."),
        ("[storage]\ninline_max_size = 1.5", {}, "storage.inline_max_size: 1.5 is not a size"),
        ("[storage]\nbackend = 'tape'", {}, "'tape' is not one of local, s3."),
        ("[storage]\nbackend = 's3'", {}, "s3 needs storage.s3.endpoint and storage.s3.bucket"),
        (
            "[storage.s3]\nendpoint = 'https://s3.example.com'",
            {"VEXOBJ_S3_ACCESS_KEY": "a"},
            "storage.s3.secret_key go together",
        ),
        (
            "[storage.s3]\nendpoint = 'https://s3.example.com'\npart_size = '1 MB'",
            {},
            "storage.s3.part_size is below 5 MiB",
        ),
        ("webhooks = 3", {}, "webhooks is a list of tables"),
        ("[[webhooks]]\nevents = []", {}, "webhooks.url is missing"),
        ("[[webhooks]]\nurl = 'http://a.b'\nsecrets = 's'", {}, "did you mean webhooks.secret?"),
        ("", {"VEXOBJ_WEBHOOK_URL": "ftp://example.com"}, "is not an http or https URL"),
        ("", {"VEXOBJ_WEBHOOK_URL": "http://example.com:x/"}, "is not an http or https URL"),
        ("[[webhooks]]\nurl = 'http://a.b/'\nevents = ['a b']", {}, "a list of names of events"),
        ("[webhook_delivery]\nallowed = ['-']", {}, "a list of host names"),
        ("[webhook_delivery]\ntimeout = '2m'", {}, "webhook_delivery.timeout"),
        ("[server", {}, "config.toml is not TOML"),
        (
            "",
            {"VEXOBJ_CONFIG": "nowhere.toml"},
            "VEXOBJ_CONFIG names nowhere.toml, and there is no such file.",
        ),
        (
            "",
            {"VEXOBJ_MAX_FILE_SIZE": "5 apples"},
            "VEXOBJ_MAX_FILE_SIZE: '5 apples' is not a size",
        ),
        (
            "",
            {"VEXOBJ_AUTH_ENABLED": "maybe"},
            "VEXOBJ_AUTH_ENABLED: 'maybe' is not true or false.",
        ),
        ("", {"VEXOBJ_BIND": "8000"}, "VEXOBJ_BIND: '8000' is not host:port"),
        ("", {"VEXOBJ_BIND": "localhost:70000"}, "is not host:port"),
        ("", {"VEXOBJ_BIND": "::1:8000"}, "is not host:port"),
        ("", {"VEXOBJ_SERVER_PUBLIC_URL": "https://example.com/media"}, "without a path"),
        ("", {"VEXOBJ_SERVER_PUBLIC_URL": "example.com"}, "is not a URL"),
        ("", {"VEXOBJ_SERVER_S3_DOMAIN": "https://s3.example.com"}, "is not a host name"),
        ("", {"VEXOBJ_SERVER_TRUSTED_PROXIES": "proxy"}, "is not addresses or networks"),
        ("", {"VEXOBJ_SERVER_UPLOAD_TIMEOUT": "1 fortnight"}, "is not a duration"),
        ("", {"VEXOBJ_SERVER_HEADER_TIMEOUT": "2m"}, "server.header_timeout"),
        ("", {"VEXOBJ_IMAGES_DEFAULT_QUALITY": "101"}, "from 1 to 100"),
        ("", {"VEXOBJ_WEBHOOK_SECRET": "s"}, "VEXOBJ_WEBHOOK_URL is missing"),
        ("", {"VEXOBJ_TLS_ENABLED": "true"}, "tls.enabled needs"),
        ("", {"VEXOBJ_SSE_ENABLED": "true"}, "sse.enabled needs sse.master_key"),
        ("", {"VEXOBJ_AUTH_ROOT_ACCESS_KEY_ID": "admin"}, "go together"),
        ("", {"VEXOBJ_METADATA_URL": "mysql://x"}, "metadata.url is not a postgresql:// URL"),
        ("", {"VEXOBJ_SSE_MASTER_KEY_FILE": "/nowhere"}, "cannot be read"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    tmp_path: Path, toml: str, environment: Mapping[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, toml, **environment)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, VEXOBJ_SSE_MASTER_KEY="do-not-show")
    assert "do-not-show" not in str(caught.value)


def test_what_a_url_holds_of_credentials_is_not_repeated(tmp_path: Path) -> None:
    text = "[[webhooks]]\nurl = 'https://me:hunter2@example.com/'\nevents = ['object.created']"
    (tmp_path / "vexobj.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"https://\*\*\*@example.com") as told:
        load_settings({"VEXOBJ_CONFIG": str(tmp_path / "vexobj.toml")}, tmp_path)
    assert "hunter2" not in str(told.value)


def test_no_repr_shows_a_secret(tmp_path: Path) -> None:
    secrets = {
        "VEXOBJ_SSE_MASTER_KEY": HEX_KEY,
        "VEXOBJ_AUTH_SERVER_SECRET": HEX_KEY[::-1],
        "VEXOBJ_AUTH_ROOT_ACCESS_KEY_ID": "admin",
        "VEXOBJ_AUTH_ROOT_SECRET_ACCESS_KEY": "shown-never-1",
        "VEXOBJ_METRICS_TOKEN": "shown-never-2",
        "VEXOBJ_METADATA_URL": "postgresql://u:shown-never-3@db/x",
    }
    shown = repr(load_settings(secrets, tmp_path))
    assert "shown-never" not in shown
    assert HEX_KEY not in shown


def test_an_unknown_variable_is_warned_about(tmp_path: Path) -> None:
    warnings = load_settings(
        {"VEXOBJ_SERVER_WORKER": "2", "VEXOBJ_PORT_8000_TCP": "x"}, tmp_path
    ).warnings
    assert len(warnings) == 2
    assert any("did you mean VEXOBJ_SERVER_WORKERS?" in warning for warning in warnings)


def test_names_of_the_command_line_client_are_known(tmp_path: Path) -> None:
    environment = {"VEXOBJ_URL": "x", "VEXOBJ_KEY": "x", "VEXOBJ_PRIMARY_KEY": "x"}
    assert load_settings(environment, tmp_path).warnings == ()


def test_a_setting_that_does_not_act_yet_says_so(tmp_path: Path) -> None:
    loaded = load_settings({"VEXOBJ_RATE_LIMIT_ENABLED": "true"}, tmp_path)
    assert loaded.warnings == ("rate_limit.enabled takes effect from version 0.2 on.",)


def test_settings_travel_to_the_workers(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        '[[webhooks]]\nurl = "https://example.com"\n[server]\ntrusted_proxies = ["10.0.0.0/8"]\n',
        VEXOBJ_SERVER_UPLOAD_TIMEOUT="1500ms",
        VEXOBJ_CACHE_DISK_PATH="/var/cache/x",
        VEXOBJ_SERVER_BIND="[::1]:81",
    )
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_the_master_key_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{HEX_KEY.upper()}\n", encoding="utf-8")
    settings = load(tmp_path, f'[sse]\nenabled = true\nmaster_key_file = "{path}"\n')
    assert settings.sse.master_key == HEX_KEY
    for text, sentence in (("no key", "does not hold 64 hex"), ("ab" * 32, "differ")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match=sentence):
            load(tmp_path, f'[sse]\nmaster_key = "{HEX_KEY}"\nmaster_key_file = "{path}"\n')
    path.unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path, f'[sse]\nmaster_key_file = "{path}"\n')


def test_master_keys_are_never_shown(tmp_path: Path) -> None:
    other = "ab" * 32
    text = f'[sse]\nenabled = true\nmaster_key = "{HEX_KEY}"\nprevious_master_keys = ["{other}"]\n'
    settings = load(tmp_path, text)
    assert settings.sse.previous_master_keys == (other,)
    assert HEX_KEY not in repr(settings)
    assert other not in repr(settings)
    assert pickle.loads(pickle.dumps(settings)) == settings


@given(st.integers(0, 2**60))
@example(2**53 + 1)
def test_sizes_and_durations_may_be_plain_numbers(number: int) -> None:
    assert SIZE.parse(number) == SIZE.parse(str(number)) == number
    duration = timedelta(microseconds=number % 10**15)
    assert DURATION.parse(duration.total_seconds()) == duration


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("12", 12),
        ("12B", 12),
        ("1KB", 1024),
        ("1kib", 1024),
        ("1.5 MB", 1536 * 1024),
        ("2G", 2 * 1024**3),
        ("5TB", 5 * 1024**4),
        ("5TiB", 5 * 1024**4),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert SIZE.parse(text) == size


@pytest.mark.parametrize(
    "text", ["", "KB", "-1", "1PB", "1e3", "1,5MB", "0x10", None, True, [], 1.5]
)
def test_what_is_no_size(text: object) -> None:
    with pytest.raises(ValueError, match="size"):
        SIZE.parse(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("30", 30), ("10m", 600), ("2h", 7200), ("7d", 604800)],
)
def test_durations(text: str, seconds: float) -> None:
    assert DURATION.parse(text) == timedelta(seconds=seconds)


def test_every_setting_is_in_the_reference_page_with_its_meaning() -> None:
    page = settings_reference()
    assert page.endswith("|\n")
    for setting in all_settings():
        assert f"| `{setting.name}` | `{setting.env[0]}`" in page
        assert setting.meaning.endswith((".", ")"))
        assert "|" not in setting.meaning


def test_no_two_settings_share_a_variable() -> None:
    names = [name for setting in all_settings() for name in setting.env]
    assert len(names) == len(set(names))
