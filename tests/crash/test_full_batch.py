"""A disk that is full in the midst of a commit for 64 operations fails just whom it must."""

import errno
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.stepping.batch import SIZE
from support.stepping.rounds import Interruption, Runner, Said, runner
from support.stepping.shim import Fault, names, read_log

_HOW = (
    Interruption(Fault.KILL),
    Interruption(Fault.FAIL, errno.EIO),
    Interruption(Fault.FAIL, errno.ENOSPC),
    *(Interruption(Fault.FULL, room) for room in (0, 2048, 40_000, 200_000)),
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with runner(tmp_path_factory.mktemp("batch")) as running:
        yield running


@pytest.fixture(scope="module")
def template(running: Runner) -> Path:
    directory = running.folder_for(None)
    running.do("prepare batch", directory, seals=False)
    return directory


def _run(running: Runner, template: Path, step: int, how: Interruption) -> tuple[Said, list[str]]:
    """What was told, with what is there after a restart; and the steps."""
    directory = running.folder_for(template)
    told, log = running.do(
        "batch", directory, seals=False, fault=how.fault, step=step, number=how.number
    )
    found, _ = running.do("after batch", directory, seals=False)
    return told | found, list(names(read_log(log)))


def _judge(told: Said) -> "Counter[str]":
    """Who was told that it is done finds it done, who was refused finds nothing of it."""
    keys, winner = set(told["keys"]), told["winner"]
    outcomes: dict[str, str] = told.get("outcomes", {})
    for name, outcome in outcomes.items():
        word, number = name.split()
        is_done = winner == int(number) if word == "create" else (name in keys) is (word == "put")
        if outcome == "done":
            assert is_done, f"{name} was acknowledged"
        elif outcome != "CommitUncertain":
            assert not is_done, f"{name} was refused with {outcome}"
        if outcome == "PreconditionFailed":
            assert winner is not None, f"{name} lost against nobody"
    return Counter(outcomes.values())


def _rounds(running: Runner, template: Path, count: int | None) -> None:
    told, steps = _run(running, template, 0, Interruption(Fault.NONE))
    assert _judge(told) == {"done": SIZE - 7, "PreconditionFailed": 7}
    assert sum(name.endswith("sync log") for name in steps) == 1
    everything = [(step, how) for step in range(1, len(steps) + 2) for how in _HOW]
    seed = random.randrange(2**31)
    chosen = everything if count is None else random.Random(seed).sample(everything, count)
    outcomes = Counter[str]()
    for step, how in chosen:
        try:
            outcomes += _judge(_run(running, template, step, how)[0])
        except AssertionError as error:
            raise AssertionError(f"{how} at step {step}: {error}") from error
    print(f"{len(steps)} steps, {len(chosen)} rounds, 0 losses, {dict(outcomes)}")


def test_batches_at_some_steps(running: Runner, template: Path) -> None:
    _rounds(running, template, 12)


@pytest.mark.torture
def test_batches_at_every_step(running: Runner, template: Path) -> None:
    _rounds(running, template, None)
