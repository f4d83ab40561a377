"""The whole story of a store, recorded once, of which the power is cut at any step."""

import random
import shutil
from collections.abc import Container, Iterator
from dataclasses import dataclass

from support.stepping.operations import ACTS, ENDED, STORY, Act
from support.stepping.power import Disk
from support.stepping.rounds import Loss, Runner, check, compare
from support.stepping.shim import Entry, Kind, Step, names, read_log


@dataclass(frozen=True)
class Cut:
    """After `at` entries of the record, while `act` is done.

    What is there `before` is None while the world is made. `ended`: the operation before `act`,
    if it was acknowledged this instant.
    """

    at: int
    act: Act
    before: list[str] | None
    after: list[str]
    ended: str | None = None

    @property
    def proved(self) -> str | None:
        return self.ended if self.ended in ACTS and ACTS[self.ended].proof else None

    def __str__(self) -> str:
        return f"power cut after entry {self.at}, during {self.act.name}"


class Story:
    """On one kind of store, `seals` or not."""

    def __init__(self, runner: Runner, *, seals: bool) -> None:
        said, log = runner.do("story", runner.folder_for(None), seals=seals)
        self._runner, self._seals = runner, seals
        self._states: list[list[str]] = said["states"]
        self._entries: list[Entry] = list(read_log(log))
        self.cuts = list(self._cuts())

    @property
    def syncs(self) -> list[str]:
        """What each kind of sync is called."""
        return sorted({_name(each) for each in self._entries if _is_sync(each)})

    def losses(
        self, at: Container[int], chance: random.Random | None, ignored: str = ""
    ) -> Iterator[Loss | None]:
        """For each cut `at` such a place: what was lost, or None.

        With `chance` some of what was not synced is kept. Syncs called `ignored` do nothing.
        """
        disk = Disk()
        for entry, cut in zip(self._entries, self.cuts, strict=True):
            if isinstance(entry, Step) and not (_is_sync(entry) and _name(entry) == ignored):
                disk.take(entry)
            if cut.at in at:
                yield self._loss(cut, disk, chance)

    def _cuts(self) -> Iterator[Cut]:
        number, act = -1, ACTS["first start"]
        for at, entry in enumerate(self._entries, 1):
            ended = None
            if isinstance(entry, str) and entry.startswith(ENDED):
                ended = entry.removeprefix(ENDED)
                number += 1
                act = STORY[min(number, len(STORY) - 1)]
            before = self._states[number] if number >= 0 else None
            yield Cut(at, act, before, self._states[min(number + 1, len(STORY))], ended)

    def _loss(self, cut: Cut, disk: Disk, chance: random.Random | None) -> Loss | None:
        directory = self._runner.folder_for(None)
        disk.after_power_loss(directory, chance)
        try:
            told = self._runner.check(
                directory, cut.act, seals=self._seals, goes_on=False, proved=cut.proved
            )
            if cut.before is not None:
                compare(cut.act, cut.before, cut.after, "killed", told["seen"])
            check(told, cut.after if cut.before is not None else told["seen"])
        except (AssertionError, Loss) as error:
            return Loss(f"{cut}\n{error}")
        finally:
            shutil.rmtree(directory)
        return None


def _is_sync(entry: Entry) -> bool:
    return isinstance(entry, Step) and entry.kind is Kind.SYNC


def _name(entry: Entry) -> str:
    return next(names(iter([entry])))
