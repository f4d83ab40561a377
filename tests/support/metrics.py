"""The server's own counts, as an operator's Prometheus reads them."""

import re
import time
from collections.abc import Callable

import httpx

from vexobj_server.testing import RunningServer

_SECONDS = 60


def metric(server: RunningServer, name: str) -> float:
    """The sum over the samples of one family, 0 where there is none."""
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    text = httpx.get(f"{server.url}/metrics", headers=headers).text
    values = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return sum(map(float, values))


def wait_until(happened: Callable[[], bool]) -> None:
    """Raises: AssertionError when it has not after half a minute."""
    deadline = time.monotonic() + _SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)
