"""What encryption at rest costs a client: signed puts and gets over localhost, two servers in turn.

Both servers have one worker and shipped defaults but for the encryption of one. The client is
http.client, which reads into one buffer and hashes nothing; time passes until it has it all.
"""

import http.client
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from figures import Figure, figure, publish

from support.endpoint import Endpoint
from support.processes import cpu_seconds
from support.s3 import signed_headers
from vexobj_server.testing import RunningServer, running_server

RUNS = 5
MIB = 1024**2
SIZES = (("64 KiB", 64 * 1024, 32), ("64 MiB", 64 * MIB, 1))
SEALED = {"VEXOBJ_SSE_ENABLED": "true", "VEXOBJ_SSE_MASTER_KEY": os.urandom(32).hex()}

Pair = tuple[float, float]


class Client:
    """One kept connection to a server."""

    def __init__(self, server: RunningServer) -> None:
        self.pid = server.pid
        self._endpoint = Endpoint(server.url, server.access_key_id, server.secret_access_key)
        self._connection = http.client.HTTPConnection(self._endpoint.host, blocksize=MIB)
        self._buffer = memoryview(bytearray(4 * MIB))
        self._endpoint.boto3().create_bucket(Bucket="bench")

    def put(self, key: str, body: bytes) -> None:
        self._request("PUT", key, body)

    def get(self, key: str) -> None:
        self._request("GET", key)

    def _request(self, method: str, key: str, body: bytes = b"") -> None:
        url = f"{self._endpoint.url}/bench/{key}"
        payload = "UNSIGNED-PAYLOAD"
        headers = signed_headers(self._endpoint, method, url, payload=payload)
        self._connection.request(method, f"/bench/{key}", body or None, headers)
        answer = self._connection.getresponse()
        assert answer.status == http.client.OK, answer.read()
        while answer.readinto(self._buffer):
            pass


def spent(client: Client, work: Callable[[], None]) -> Pair:
    """Seconds that passed, and seconds of CPU of the server."""
    began, cpu = time.perf_counter(), cpu_seconds(client.pid)
    work()
    return time.perf_counter() - began, cpu_seconds(client.pid) - cpu


def compared(name: str, count: int, size: int, pairs: list[list[Pair]]) -> list[Figure]:
    plain, sealed = pairs
    speeds = [[count * size / MIB / each[0] for each in runs] for runs in pairs]
    ratios = [b[0] / a[0] * 100 for a, b in zip(plain, sealed, strict=True)]
    cpu = [statistics.fmean(each[1] for each in runs) / count * 1e3 for runs in pairs]
    return [
        figure(f"{name}, plain", "MiB/s", speeds[0]),
        figure(f"{name}, sealed", "MiB/s", speeds[1]),
        figure(f"{name}, time, sealed to plain", "%", ratios),
        figure(f"{name}, server CPU, plain", "ms", [cpu[0]]),
        figure(f"{name}, server CPU, sealed", "ms", [cpu[1]]),
    ]


def measure(clients: list[Client]) -> list[Figure]:
    rows = []
    for name, size, count in SIZES:
        puts: list[list[Pair]] = [[], []]
        gets: list[list[Pair]] = [[], []]
        for run in range(RUNS):
            bodies = [os.urandom(size) for _ in range(count)]
            for index in (0, 1) if run % 2 else (1, 0):
                client = clients[index]

                def put_all(client: Client = client) -> None:
                    for number, body in enumerate(bodies):  # noqa: B023 - it is run at once
                        client.put(f"key-{number}", body)

                def get_all(client: Client = client) -> None:
                    for number in range(count):  # noqa: B023 - it is run at once
                        client.get(f"key-{number}")

                puts[index].append(spent(client, put_all))
                get_all()
                gets[index].append(spent(client, get_all))
        rows += compared(f"put of {name}", count, size, puts)
        rows += compared(f"get of {name}", count, size, gets)
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        with (
            running_server(directory / "plain", workers=1) as plain,
            running_server(directory / "sealed", workers=1, environment=SEALED) as sealed,
        ):
            publish("encryption_http", measure([Client(plain), Client(sealed)]))


if __name__ == "__main__":
    main()
