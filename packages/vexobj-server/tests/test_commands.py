"""The `vexobj` command as a user runs it: real processes, real ports, what they print."""

import asyncio
import contextlib
import http.client
import ipaddress
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from vexobj_server.commands.doctor import check_images
from vexobj_server.commands.findings import Verdict
from vexobj_server.settings import Settings, settings_reference
from vexobj_server.testing import free_port
from vexobj_storage import MasterKey, ObjectStore, StoreConfig
from vexobj_storage.testing.damage import spoil
from vexobj_storage.testing.helpers import make_bucket, put
from vexobj_storage.testing.scrub import scrub
from vexobj_storage.testing_postgres import PostgresServer

_COMMAND = [sys.executable, "-m", "vexobj_server"]
_PATIENCE_SECONDS = 60


def environment(**variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if "VEXOBJ" not in name}
    return inherited | variables


def run(*arguments: str, directory: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*_COMMAND, *arguments],
        cwd=directory,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )


@dataclass
class Server:
    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    tls: ssl.SSLContext | None = None

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        connection: http.client.HTTPConnection
        if self.tls is None:
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=_PATIENCE_SECONDS
            )
        else:
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=_PATIENCE_SECONDS, context=self.tls
            )
        with contextlib.closing(connection):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_PATIENCE_SECONDS)


@contextlib.contextmanager
def serving(
    directory: Path, tls: ssl.SSLContext | None = None, **variables: str
) -> Iterator[Server]:
    port = free_port()
    log = directory / "stderr.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            _COMMAND,
            cwd=directory,
            env=environment(VEXOBJ_BIND=f"127.0.0.1:{port}", **variables),
            stderr=stderr,
            stdout=stderr,
            start_new_session=True,
        )
    server = Server(process, port, log, tls)
    try:
        _wait_until_it_answers(server)
        yield server
    finally:
        if process.poll() is None:
            server.stop()


def _wait_until_it_answers(server: Server) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        with contextlib.suppress(OSError):
            if server.get("/livez")[0] == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"it did not start: {server.said()}")


def test_the_first_start_shows_the_key_once_and_the_second_none(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        first = server.said()
        secrets = re.findall(r"AWS_SECRET_ACCESS_KEY=(vex_[0-9a-f]{64})\n", first)
        assert len(secrets) == 1
        assert first.count(secrets[0]) == 1
        assert server.get("/v1/buckets", Authorization=f"Bearer {secrets[0]}")[0] == 200
        assert server.get("/v1/buckets", Authorization="Bearer vex_" + "0" * 64)[0] == 401
        assert server.stop() == 0
        assert "Traceback" not in server.said()
    data = tmp_path / "data"
    assert [path for path in (data, *data.rglob("*")) if path.stat().st_mode & 0o077] == []
    credentials = data / "admin-credentials"
    assert f"AWS_SECRET_ACCESS_KEY={secrets[0]}\n" in credentials.read_text(encoding="utf-8")
    with serving(tmp_path) as server:
        assert "vex_" not in server.said()
        assert server.get("/v1/buckets", Authorization=f"Bearer {secrets[0]}")[0] == 200
        assert server.stop() == 0
        assert secrets[0] not in server.said()
    assert "has this version's schema" in run("doctor", directory=tmp_path).stdout


def test_a_root_key_from_the_environment_is_a_bearer_token_too_and_never_shown(
    tmp_path: Path,
) -> None:
    root = {
        "VEXOBJ_AUTH_ROOT_ACCESS_KEY_ID": "minioadmin",
        "VEXOBJ_AUTH_ROOT_SECRET_ACCESS_KEY": "minio-secret",
    }
    with serving(tmp_path, None, **root) as server:
        assert server.get("/v1/buckets", Authorization="Bearer minio-secret")[0] == 200
        server.stop()
        assert "minio-secret" not in server.said()
        assert "AWS_SECRET" not in server.said()


def test_without_authentication_it_says_so_loudly_and_is_open(tmp_path: Path) -> None:
    with serving(tmp_path, VEXOBJ_AUTH_ENABLED="false") as server:
        assert "AUTHENTICATION IS OFF" in server.said()
        assert server.get("/v1/buckets")[0] == 200


def test_metrics_are_those_of_all_workers_and_of_the_dead(tmp_path: Path) -> None:
    with serving(tmp_path, VEXOBJ_SERVER_WORKERS="2", VEXOBJ_SERVER_ACCESS_LOG="false") as server:
        for _ in range(20):
            assert server.get("/v1/buckets")[0] == 401
        until(lambda: _refused(server) == 20)
        until(lambda: len(_worker_pids(server)) == 2)
        pids = _worker_pids(server)
        os.kill(int(min(pids)), signal.SIGKILL)
        until(lambda: len(_worker_pids(server) - {min(pids)}) == 2)
        assert _refused(server) == 20
        assert "request method=" not in server.said()
        assert server.stop() == 0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _refused(server: Server) -> int:
    name = r'vexobj_requests_by_status_total\{status="4xx"\}'
    found = re.search(rf"^{name} (\d+)\.0$", server.get("/metrics")[1], re.MULTILINE)
    assert found is not None
    return int(found[1])


def _worker_pids(server: Server) -> set[str]:
    with contextlib.suppress(OSError, http.client.HTTPException):
        text = server.get("/metrics")[1]
        return set(re.findall(r'vexobj_process_open_fds\{pid="(\d+)",role="worker"\}', text))
    return set()


def test_an_upload_that_stalls_does_not_hold_up_the_end_and_nothing_is_left(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    short = {"VEXOBJ_SERVER_SHUTDOWN_TIMEOUT": "1s", "TMPDIR": str(temporary)}
    with serving(tmp_path, None, **short) as server:
        (runtime,) = temporary.iterdir()
        assert runtime.stat().st_mode & 0o077 == 0
        secret = re.findall(r"vex_[0-9a-f]{64}", server.said())[0]
        with socket.create_connection(("127.0.0.1", server.port)) as stalled:
            stalled.sendall(
                b"PUT /v1/objects/none/key HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
                b"Authorization: Bearer " + secret.encode() + b"\r\n\r\nonly this"
            )
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(_PATIENCE_SECONDS) == 0
    assert list(temporary.iterdir()) == []


def certificate(directory: Path) -> tuple[Path, Path]:
    """For 127.0.0.1, signed by itself: its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    paths = directory / "cert.pem", directory / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def test_tls(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    tls = {"VEXOBJ_TLS_CERT_PATH": str(cert), "VEXOBJ_TLS_KEY_PATH": str(key)}
    trusting = ssl.create_default_context(cafile=str(cert))
    with serving(tmp_path, trusting, VEXOBJ_TLS_ENABLED="true", **tls) as server:
        assert "https://127.0.0.1" in server.said()
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=trusting)
        with contextlib.closing(connection):
            connection.request("GET", "/livez")
            answer = connection.getresponse()
            assert answer.status == 200
            assert answer.getheader("strict-transport-security") is not None


def test_an_interrupt_from_the_terminal_ends_it_quietly(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.process.wait(_PATIENCE_SECONDS) == 0
        assert "Traceback" not in server.said()


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("serve", directory=tmp_path, VEXOBJ_BIND=f"127.0.0.1:{port}")
    assert done.returncode == 2
    assert done.stderr == (
        f"vexobj: server.bind: cannot listen on 127.0.0.1:{port}:"
        " another program listens there already.\n"
    )
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"VEXOBJ_SERVER_WORKERS": "many"}, "VEXOBJ_SERVER_WORKERS: 'many' is not a whole number."),
        ({"VEXOBJ_CONFIG": "nowhere.toml"}, "VEXOBJ_CONFIG names nowhere.toml"),
        ({"VEXOBJ_DATA_DIR": "/proc/none"}, "storage.data_dir: /proc/none cannot be made"),
        ({"VEXOBJ_BIND": "256.1.1.1:80"}, "server.bind: cannot listen on 256.1.1.1:80"),
    ],
)
def test_a_bad_setting_is_one_sentence(
    tmp_path: Path, variables: dict[str, str], sentence: str
) -> None:
    defaults = {"VEXOBJ_BIND": f"127.0.0.1:{free_port()}"}
    done = run(directory=tmp_path, **(defaults | variables))
    assert done.returncode == 2
    assert done.stderr.startswith(f"vexobj: {sentence}")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_config_check(tmp_path: Path) -> None:
    (tmp_path / "vexobj.toml").write_text("[server]\nworkers = 2\n", encoding="utf-8")
    fine = run("--config", "vexobj.toml", "config", "check", directory=tmp_path, VEXOBJ_TYPO="1")
    assert fine.returncode == 0
    assert "warning: The environment variable VEXOBJ_TYPO is not known" in fine.stdout
    assert "The settings are fine (from vexobj.toml and the environment)." in fine.stdout
    (tmp_path / "vexobj.toml").write_text("[server]\nworker = 2\n", encoding="utf-8")
    wrong = run("--config", "vexobj.toml", "config", "check", directory=tmp_path)
    assert wrong.returncode == 2
    assert "did you mean server.workers?" in wrong.stderr


def test_config_reference(tmp_path: Path) -> None:
    done = run("config", "reference", directory=tmp_path)
    assert done.stdout == settings_reference()


def test_openapi(tmp_path: Path) -> None:
    done = run("openapi", directory=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("openapi: ")


def test_doctor_finds_a_fresh_machine_fit(tmp_path: Path) -> None:
    done = run("doctor", directory=tmp_path, VEXOBJ_BIND=f"127.0.0.1:{free_port()}")
    assert done.returncode == 0, done.stdout
    for word in ("data is not there yet", "GiB are free", "SQLite", "Pillow", "clock", "is free"):
        assert word in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_doctor_finds_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "server-secret").touch(0o644)
    missing = {"VEXOBJ_TLS_CERT_PATH": "none.pem", "VEXOBJ_TLS_KEY_PATH": "none.pem"}
    done = run("doctor", directory=tmp_path, VEXOBJ_TLS_ENABLED="true", **missing)
    assert done.returncode == 1
    assert "FAIL  none.pem cannot be read." in done.stdout
    assert "can be read by others" in done.stdout


async def _damaged(data_dir: Path, master_key: str) -> None:
    """A store in which scrub has found a file to be gone."""
    keys = (MasterKey(bytes.fromhex(master_key)),)
    store = await ObjectStore.open(StoreConfig(data_dir, master_keys=keys, encrypt=True))
    bucket = await make_bucket(store)
    version = await put(store, bucket, b"key", bytes(100_000))
    assert version.blob_id is not None
    await spoil(store, version.blob_id, None)
    await scrub(store)
    await store.close()


def test_doctor_tells_what_scrub_found_and_which_keys_are_missing(tmp_path: Path) -> None:
    asyncio.run(_damaged(tmp_path / "data", "ab" * 32))
    sealing = {"VEXOBJ_SSE_ENABLED": "true", "VEXOBJ_BIND": f"127.0.0.1:{free_port()}"}
    done = run("doctor", directory=tmp_path, VEXOBJ_SSE_MASTER_KEY="ab" * 32, **sealing)
    assert done.returncode == 0, done.stdout
    assert "warning  Scrub has found 1 blobs that are missing" in done.stdout
    assert "The master key opens every root key: 1." in done.stdout
    done = run("doctor", directory=tmp_path, VEXOBJ_SSE_MASTER_KEY="cd" * 32, **sealing)
    assert done.returncode == 1
    assert "FAIL  Root key 1 is wrapped by master key" in done.stdout


def test_doctor_finds_that_no_data_directory_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("doctor", directory=tmp_path, VEXOBJ_DATA_DIR="file/data")
    assert done.returncode == 1
    assert "FAIL  file is no directory that this user may write." in done.stdout


def test_doctor_looks_at_the_codecs(tmp_path: Path) -> None:
    from PIL import features

    done = run("doctor", directory=tmp_path)
    for codec in ("webp", "avif"):
        assert f"lib{codec} {features.version(codec)}" in done.stdout


@pytest.mark.parametrize(
    ("pillow", "warned"), [("12.2.0", True), ("12.3.0", False), ("13.0", False)]
)
def test_doctor_warns_of_a_pillow_with_known_holes(
    monkeypatch: pytest.MonkeyPatch, pillow: str, warned: bool
) -> None:
    monkeypatch.setattr("PIL.Image.__version__", pillow)
    verdicts = {finding.verdict for finding in check_images(Settings())}
    assert (Verdict.WARNING in verdicts) == warned


def test_doctor_looks_at_postgresql(tmp_path: Path, postgres: PostgresServer) -> None:
    url = postgres.url(postgres.create_database())
    bind = {"VEXOBJ_BIND": f"127.0.0.1:{free_port()}"}
    empty = run("doctor", directory=tmp_path, VEXOBJ_METADATA_URL=url, **bind)
    assert (empty.returncode, "is empty" in empty.stdout) == (0, True), empty.stdout
    with serving(tmp_path, VEXOBJ_METADATA_URL=url):
        full = run("doctor", directory=tmp_path, VEXOBJ_METADATA_URL=url, **bind)
        assert (full.returncode, "this version's schema" in full.stdout) == (0, True), full.stdout
    assert asyncio.run(_spoil(url)) == "UPDATE 1"
    newer = run("doctor", directory=tmp_path, VEXOBJ_METADATA_URL=url, **bind)
    assert (newer.returncode, "of a newer one" in newer.stdout) == (1, True), newer.stdout


async def _spoil(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        done: str = await connection.execute("UPDATE alembic_version SET version_num = 'later'")
    finally:
        await connection.close()
    return done


def test_serve_says_when_postgresql_is_not_there(tmp_path: Path) -> None:
    url = f"postgresql://vexobj@127.0.0.1:{free_port()}/vexobj"
    bind = {"VEXOBJ_BIND": f"127.0.0.1:{free_port()}"}
    done = run("serve", directory=tmp_path, VEXOBJ_METADATA_URL=url, **bind)
    assert done.returncode == 2
    assert done.stderr.startswith("vexobj: The store cannot be opened: ")
    assert "Connect call failed" in done.stderr


def test_commands_say_when_the_driver_of_postgresql_is_missing(tmp_path: Path) -> None:
    absent = "raise ModuleNotFoundError(\"No module named 'asyncpg'\", name='asyncpg')"
    (tmp_path / "asyncpg.py").write_text(absent)  # the working directory comes first
    settings = {
        "VEXOBJ_METADATA_URL": "postgresql://127.0.0.1/vexobj",
        "VEXOBJ_BIND": f"127.0.0.1:{free_port()}",
    }
    served = run("serve", directory=tmp_path, **settings)
    assert served.returncode == 2
    assert served.stderr.startswith("vexobj: asyncpg is not installed")
    assert "asyncpg is not installed" in run("doctor", directory=tmp_path, **settings).stdout


def test_doctor_says_when_postgresql_is_not_there(tmp_path: Path) -> None:
    url = f"postgresql://vexobj:the-password@127.0.0.1:{free_port()}/vexobj"
    done = run("doctor", directory=tmp_path, VEXOBJ_METADATA_URL=url)
    assert done.returncode == 1
    assert "FAIL  PostgreSQL at 127.0.0.1/vexobj cannot be reached" in done.stdout
    assert "the-password" not in done.stdout + done.stderr


def test_help_and_version_need_no_web_server(tmp_path: Path) -> None:
    for argument in ("--help", "--version", "serve --help", "config --help"):
        done = run(*argument.split(), directory=tmp_path)
        assert done.returncode == 0
        assert "vexobj" in done.stdout
    wrong = run("swim", directory=tmp_path)
    assert wrong.returncode == 2
    loaded = (
        "import sys, vexobj_server.__main__; "
        "print([name for name in ('granian', 'fastapi', 'sqlalchemy') if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "[]\n"
