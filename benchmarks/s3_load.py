"""Signed small GETs and durable signed small PUTs against one worker with shipped defaults.

16 keep-alive connections from wrk; every request was signed beforehand, so that the client costs
next to nothing. CPU is that of all server processes together, as the kernel accounts it.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from figures import Figure, figure, publish

from support.endpoint import Endpoint
from support.processes import cpu_seconds
from support.s3 import signed_headers
from vexobj_server.testing import RunningServer, free_port, running_server

CONNECTIONS = 16
SECONDS = 4
RUNS = 5
SIZE = 4096

LUA = """
local requests, n, i = {}, 0, 0
local file = io.open(os.getenv("REQUESTS"), "rb")
while true do
  local length = file:read("*n")
  if not length then break end
  file:read(1)
  n = n + 1
  requests[n] = file:read(length)
end
function request()
  i = i % n + 1
  return requests[i]
end
function done(summary)
  local e = summary.errors
  local errors = e.status + e.connect + e.read + e.write + e.timeout
  print("FIGURES", summary.requests, summary.duration, errors)
end
"""


def raw(endpoint: Endpoint, method: str, path: str, body: bytes = b"") -> bytes:
    url = endpoint.url + path
    headers = {**signed_headers(endpoint, method, url, body)}
    if method == "PUT":
        headers["content-length"] = str(len(body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def write_requests(path: Path, requests: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        for request in requests:
            file.write(b"%d\n" % len(request) + request)


@contextmanager
def bare_server() -> Iterator[tuple[str, int]]:
    """URL and pid of `bare.py` on Granian, with the settings that the product uses."""
    port = free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1",
        "--port", str(port), "--http", "1", "--loop", "uvloop", "--no-ws", "bare:app",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def wrk(url: str, pid: int, requests: Path, script: Path) -> tuple[float, float]:
    """(requests per second, server CPU in us per request)."""
    cpu = cpu_seconds(pid)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), url],
        env={**os.environ, "REQUESTS": str(requests)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    cpu = cpu_seconds(pid) - cpu
    found = re.search(r"FIGURES\s+(\d+)\s+(\d+)\s+(\d+)", done.stdout)
    assert found, done.stdout + done.stderr
    count, duration_us, errors = map(int, found.groups())
    assert errors == 0, done.stdout
    return count / (duration_us / 1e6), cpu / count * 1e6


def measure(
    server: RunningServer, bare: tuple[str, int], name: str, requests: Path, script: Path
) -> list[Figure]:
    """Each run beside one of the bare app: the machine's speed drifts, the ratio less."""
    wrk(server.url, server.pid, requests, script)
    runs, floor = [], []
    for _ in range(RUNS):
        floor.append(wrk(*bare, requests, script)[1])
        runs.append(wrk(server.url, server.pid, requests, script))
    return [
        figure("a bare ASGI answer beside it, server CPU", "us", floor),
        figure(f"{name}, requests per second", "1/s", [rate for rate, _ in runs]),
        figure(f"{name}, server CPU per request", "us", [cpu for _, cpu in runs]),
    ]


def main() -> int:
    if shutil.which("wrk") is None:
        print("s3_load: not run, wrk is not installed", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        script = data / "load.lua"
        script.write_text(LUA)
        with running_server(data / "data", workers=1) as server, bare_server() as bare:
            endpoint = Endpoint(server.url, server.access_key_id, server.secret_access_key)
            s3 = endpoint.boto3()
            s3.create_bucket(Bucket="bench")
            s3.put_object(Bucket="bench", Key="small", Body=os.urandom(SIZE))
            s3.put_object(Bucket="bench", Key="file", Body=os.urandom(64 * 1024))
            rows: list[Figure] = []
            for key, title in (("small", "signed GET of 4 KiB"), ("file", "signed GET of 64 KiB")):
                requests = data / key
                write_requests(requests, iter([raw(endpoint, "GET", f"/bench/{key}")]))
                rows += measure(server, bare, title, requests, script)
            requests = data / "puts"
            puts = (
                raw(endpoint, "PUT", f"/bench/put-{number}", os.urandom(SIZE))
                for number in range(20_000)
            )
            write_requests(requests, puts)
            started = time.monotonic()
            rows += measure(server, bare, "durable signed PUT of 4 KiB", requests, script)
            assert time.monotonic() - started < 800, "signatures are too old"
    publish("s3_load", rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
