"""Rounds: an operation on a fresh store is interrupted at a step; what is left is looked at."""

import errno
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.stepping.operations import Act
from support.stepping.shim import Fault, build, names, read_log

_TESTS = Path(__file__).parents[2]

Said = dict[str, Any]


@dataclass(frozen=True)
class Interruption:
    """`fault` at a step, with an errno or the bytes that still fit."""

    fault: Fault
    number: int = 0

    def __str__(self) -> str:
        match self.fault:
            case Fault.FAIL:
                return errno.errorcode[self.number]
            case Fault.FULL:
                return f"ENOSPC after {self.number} bytes"
        return "kill -9"


EVERY_INTERRUPTION = (
    Interruption(Fault.KILL),
    Interruption(Fault.FAIL, errno.EIO),
    Interruption(Fault.FAIL, errno.ENOSPC),
    Interruption(Fault.FULL),
    Interruption(Fault.FULL, 2048),
)
"""A disk that is full once, or from then on; and one on which half of a page still fits."""


_UNCERTAIN = {"killed", "CommitUncertain"}


class Loss(AssertionError):
    """Something acknowledged is not there, or something is there that should not be."""


@dataclass
class Runner:
    """The process that forks those in which jobs are done."""

    process: "subprocess.Popen[str]"
    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def do(self, kind: str, directory: Path, *, seals: bool, **more: Any) -> tuple[Said, Path]:
        """What it said, with its exit `status`; and the record of its steps."""
        log = self.folder / f"log {next(self._numbers)}"
        job = {"kind": kind, "directory": str(directory), "seals": seals, "log": str(log), **more}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        said: Said = json.loads(self.process.stdout.readline())
        if "failed" in said:
            raise Loss(f"{job}\n{said['failed']}")
        return said, log

    def check(
        self, directory: Path, act: Act, *, seals: bool, goes_on: bool, proved: str | None
    ) -> Said:
        """What is found after a restart. Raises: Loss."""
        told, log = self.do(
            "check", directory, seals=seals, act=act.name, goes_on=goes_on, proved=proved
        )
        log.unlink()
        return told

    def folder_for(self, template: Path | None) -> Path:
        directory = self.folder / f"store {next(self._numbers)}"
        if template is None:
            directory.mkdir()
        else:
            shutil.copytree(template, directory)
        return directory


@contextmanager
def runner(folder: Path) -> Iterator[Runner]:
    environment = os.environ | {
        "LD_PRELOAD": str(build(folder)),
        "PYTHONPATH": os.pathsep.join([str(_TESTS), *sys.path]),
    }
    command = [sys.executable, "-m", "support.stepping"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        yield Runner(process, folder)


@dataclass(frozen=True)
class Rehearsal:
    """An operation as it goes undisturbed: what is there before and after, and its steps."""

    act: Act
    template: Path | None
    before: list[str]
    after: list[str]
    steps: Sequence[str]


@dataclass
class Theatre:
    """All operations on one kind of store, `seals` or not."""

    runner: Runner
    seals: bool
    _templates: dict[str, tuple[Path | None, list[str]]] = field(default_factory=dict)

    def rehearse(self, act: Act) -> Rehearsal:
        template, before = self._template(act.needs)
        directory = self.runner.folder_for(template)
        said, log = self._act(directory, act, Fault.NONE)
        assert said["outcome"] == "done", (act.name, said)
        steps = list(names(read_log(log)))
        assert len(steps) == said["steps"]
        rehearsal = Rehearsal(act, template, before, said["seen"], steps)
        self._check(rehearsal, directory, "done", goes_on=False)
        shutil.rmtree(directory)
        return rehearsal

    def interrupt(self, rehearsal: Rehearsal, step: int, how: Interruption) -> str:
        """One round, `step` counted from 1; what came of it. Raises: Loss."""
        act, directory = rehearsal.act, self.runner.folder_for(rehearsal.template)
        said, log = self._act(directory, act, how.fault, step, how.number)
        outcome: str = said.get("outcome", "killed")
        try:
            if how.fault is Fault.KILL:
                assert said["status"] == -signal.SIGKILL, said
            else:
                assert said["status"] == 0, said
                compare(act, rehearsal.before, rehearsal.after, outcome, said["seen"])
            self._check(rehearsal, directory, outcome, goes_on="goes_on" in said)
        except (AssertionError, Loss) as error:
            name = rehearsal.steps[step - 1] if step <= len(rehearsal.steps) else "the end"
            raise Loss(f"{act.name}, {how} at step {step} ({name}): {outcome}\n{error}") from error
        shutil.rmtree(directory)
        log.unlink()
        return outcome

    def _act(
        self, directory: Path, act: Act, fault: Fault, step: int = 0, number: int = 0
    ) -> tuple[Said, Path]:
        return self.runner.do(
            "act", directory, seals=self.seals, act=act.name, fault=fault, step=step, number=number
        )

    def _check(self, rehearsal: Rehearsal, directory: Path, outcome: str, *, goes_on: bool) -> None:
        act = rehearsal.act
        proved = act.name if outcome == "done" and act.proof else None
        told = self.runner.check(directory, act, seals=self.seals, goes_on=goes_on, proved=proved)
        compare(act, rehearsal.before, rehearsal.after, outcome, told["seen"])
        check(told, rehearsal.after)

    def _template(self, needs: str) -> tuple[Path | None, list[str]]:
        if needs not in self._templates:
            self._templates[needs] = (None, []) if needs == "nothing" else self._build(needs)
        return self._templates[needs]

    def _build(self, needs: str) -> tuple[Path, list[str]]:
        directory = self.runner.folder_for(None)
        said, _ = self.runner.do("build", directory, seals=self.seals, needs=needs)
        return directory, said["seen"]


def compare(act: Act, before: list[str], after: list[str], outcome: str, seen: list[str]) -> None:
    """Is this what may be seen when `act` ended so? Raises: Loss."""
    allowed = [after] if outcome == "done" else [before]
    if outcome in _UNCERTAIN:
        allowed.append(after)
    if seen in allowed:
        return
    if outcome != "done" and not act.whole:
        first, last = _things(before), _things(after)
        if first & last <= _things(seen) <= first | last:
            return
    raise Loss("\n".join(_difference(allowed[-1], seen)))


def check(told: Said, after: list[str]) -> None:
    """Is the rest of what was found as it should be? Raises: AssertionError."""
    assert told["cleaned"] == told.get("again", told["seen"]), (
        "the collection of garbage changed what is seen"
    )
    assert not told["orphans"], f"{told['orphans']} orphans after collection and sweep"
    assert told.get("goes_on", True), "what was written afterwards is not there"
    for done, what in (
        ("again", "doing it again does not end it"),
        ("proof", "what was made is not whole"),
        ("proof_again", "what was made again is not whole"),
    ):
        assert told.get(done, after) == after, what


def _things(seen: list[str]) -> "Counter[str]":
    """Whatever hides what: in the midst a version may be hidden that is to go."""
    kept = (each for each in seen if " marker " not in each)
    return Counter(each.replace("latest=True", "latest=False") for each in kept)


def _difference(expected: list[str], seen: list[str]) -> Iterator[str]:
    for each in Counter(expected) - Counter(seen):
        yield f"missing: {each}"
    for each in Counter(seen) - Counter(expected):
        yield f"too much: {each}"
