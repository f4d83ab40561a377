"""What the doctor finds: a verdict and a sentence."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from vexobj_server.settings import Settings


class Verdict(Enum):
    FINE = "ok"
    WARNING = "warning"
    FAILURE = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    verdict: Verdict
    sentence: str


Check = Callable[[Settings], Iterator[Finding]]
