"""The whole story of a store, recorded once, of which the power is cut at any step."""

import random
import shutil
from collections.abc import Container, Iterator
from dataclasses import dataclass

from support.stepping.operations import ACTS, ENDED, STORY, Act
from support.stepping.power import Disk
from support.stepping.rounds import Loss, Runner, compare
from support.stepping.shim import Entry, Kind, Step, names, read_log


@dataclass(frozen=True)
class Cut:
    """After `at` entries of the record, while `act` is done.

    What is there `before` is None while the world is made. `is_end`: the operation before `act`
    was acknowledged this instant.
    """

    at: int
    act: Act
    before: list[str] | None
    after: list[str]
    is_end: bool

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
        ended = 0
        for at, entry in enumerate(self._entries, 1):
            is_end = isinstance(entry, str) and entry.startswith(ENDED)
            ended += is_end
            if ended:
                following = min(ended, len(STORY))
                before, after = self._states[ended - 1], self._states[following]
                yield Cut(at, STORY[following - 1], before, after, is_end)
            else:
                yield Cut(at, ACTS["first start"], None, self._states[0], is_end=False)

    def _loss(self, cut: Cut, disk: Disk, chance: random.Random | None) -> Loss | None:
        directory = self._runner.folder_for(None)
        disk.after_power_loss(directory, chance)
        try:
            told, log = self._runner.do(
                "check", directory, seals=self._seals, act=cut.act.name, goes_on=False
            )
            log.unlink()
            if cut.before is not None:
                compare(cut.act, cut.before, cut.after, "killed", told["seen"])
            assert told["cleaned"] == told["seen"]
            assert not told["orphans"]
        except (AssertionError, Loss) as error:
            return Loss(f"{cut}\n{error}")
        finally:
            shutil.rmtree(directory)
        return None


def _is_sync(entry: Entry) -> bool:
    return isinstance(entry, Step) and entry.kind is Kind.SYNC


def _name(entry: Entry) -> str:
    return next(names(iter([entry])))
