"""Every operation of a store, interrupted at each of its durable steps: see `support/stepping`."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import pytest

from support.stepping.operations import ACTS
from support.stepping.rounds import EVERY_INTERRUPTION, Interruption, Rehearsal, Theatre, runner

_WRITTEN = Path(__file__).parents[2] / "docs/reference/durable-steps.md"
_SOME_ACTS, _SOME_ROUNDS = 8, 3
_TELLING = 2
"""How many of equal steps in a row are taken from either end, and one between."""

Round = tuple[int, Interruption]


@pytest.fixture(scope="module", params=["plain", "sealed"])
def theatre(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Theatre]:
    with runner(tmp_path_factory.mktemp("steps")) as running:
        yield Theatre(running, seals=request.param == "sealed")


def _rows(page: str) -> Iterator[list[str]]:
    """Of the page's table: the cells."""
    for line in page.splitlines()[2:]:
        if line.startswith("| ") and not line.startswith("| operation "):
            yield line.strip("| ").split(" | ")


def _some(rehearsal: Rehearsal, choice: random.Random, count: int) -> Iterable[Round]:
    steps = range(1, len(rehearsal.steps) + 2)
    return choice.sample([(step, how) for step in steps for how in EVERY_INTERRUPTION], count)


def _all(rehearsal: Rehearsal, choice: random.Random) -> Iterable[Round]:
    """Each, but that of many equal steps in a row those at the ends stand for most others."""
    numbered = enumerate([*rehearsal.steps, "the end"], 1)
    for _, group in groupby(numbered, key=lambda each: each[1]):
        same = [step for step, _ in group]
        between = same[_TELLING:-_TELLING]
        chosen = same[:_TELLING] + choice.sample(between, min(1, len(between)))
        for step in dict.fromkeys(chosen + same[-_TELLING:]):
            yield from ((step, how) for how in EVERY_INTERRUPTION)


def _interrupt(theatre: Theatre, rehearsal: Rehearsal, rounds: Iterable[Round]) -> "Counter[str]":
    return Counter(theatre.interrupt(rehearsal, step, how) for step, how in rounds)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("theatre", ["plain"], indirect=True)
def test_the_steps_are_those_of_the_reference(theatre: Theatre) -> None:
    """In which order is told there only to be read."""
    written = {name: set(steps.split(", ")) for name, steps in _rows(_WRITTEN.read_text())}
    assert written.keys() == ACTS.keys()
    for act in ACTS.values():
        steps = {
            step for step in theatre.rehearse(act).steps if step.split(":")[0] not in act.beside
        }
        assert steps == written[act.name], act.name


@pytest.mark.timeout(300)
def test_interruptions_at_some_steps(theatre: Theatre) -> None:
    seed = random.randrange(2**31)
    print(f"seed {seed}")
    choice, outcomes = random.Random(seed), Counter[str]()
    for name in choice.sample(list(ACTS), _SOME_ACTS):
        rehearsal = theatre.rehearse(ACTS[name])
        outcomes += _interrupt(theatre, rehearsal, _some(rehearsal, choice, _SOME_ROUNDS))
    print(f"{outcomes.total()} rounds, nothing lost: {dict(outcomes)}")


@pytest.mark.torture
@pytest.mark.parametrize("name", ACTS)
def test_interruptions_at_every_step(theatre: Theatre, name: str) -> None:
    rehearsal = theatre.rehearse(ACTS[name])
    rounds = list(_all(rehearsal, random.Random(name)))
    outcomes = _interrupt(theatre, rehearsal, rounds)
    told = f"{len(rehearsal.steps)} steps, {len(rounds)} rounds, 0 losses"
    print(f"{name}: {told}, {dict(outcomes)}")
