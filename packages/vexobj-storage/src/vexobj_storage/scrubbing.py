"""Scrub: a pass over all blobs, in steps that may be cut off, and what becomes of its findings.

The pass's place is a fact, so whoever goes on, after a restart too, goes on where it was. Several
that run at once do no harm: what is found is recorded by compare-and-set, under a blob's lock.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any

from vexobj_storage.content import Content
from vexobj_storage.errors import KeyUnavailable, StoreBusy
from vexobj_storage.metadata.ops import facts, findings, scrub
from vexobj_storage.metadata.ops.findings import Damaged
from vexobj_storage.metadata.ops.scrub import Suspect
from vexobj_storage.metadata.rows import to_datetime
from vexobj_storage.types import Damage, Finding, Location, ScrubPass, ScrubState, ScrubStep
from vexobj_storage.verifying import Throttle, Verifier

_CURRENT, _COMPLETED = "scrub", "scrub completed"
_PAGE = 128
_STEP_BYTES = 64 * 1024**2
_LOST_TOGETHER = 32
"""Blobs that are missing one behind the other: rather a disk that is not mounted."""

_UNREACHABLE = "the blobs are out of reach"
_LOST = f"{_LOST_TOGETHER} blobs in a row are missing: is their disk mounted?"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Pass:
    """`after` is the id of the blob that was looked at last; the others as ScrubPass has them.

    What is put after `before_us` is for the next pass: this one would never catch up with it.
    """

    began_us: int
    before_us: int
    dry_run: bool
    all_blobs: int
    all_bytes: int
    accepts_losses: bool = False
    after: str = ""
    blobs: int = 0
    bytes: int = 0
    corrupt: int = 0
    missing: int = 0
    unreadable: int = 0
    sealed_away: int = 0
    halted: str | None = None
    ended_us: int | None = None


class _Halted(Exception):
    """The pass cannot go on for now; nothing of the step counts."""


@dataclass(slots=True)
class _Seen:
    """What a step has seen of a page, up to and with `last`."""

    last: bytes = b""
    damaged: list[Damaged] = field(default_factory=list)
    whole: list[bytes] = field(default_factory=list)
    blobs: int = 0
    read: int = 0
    sealed_away: int = 0
    missing_together: int = 0


class Scrubbing(Content):
    async def start_scrub(self, *, dry_run: bool = False, accept_losses: bool = False) -> bool:
        """Begin a pass over all blobs; False if such a one is under way, which goes on.

        A dry run puts nothing in quarantine. With `accept_losses` blobs are believed to be gone
        however many are missing together.
        """
        state = await self._pass(_CURRENT)
        if state is not None and state.ended_us is None and state.dry_run == dry_run:
            if accept_losses:
                await self._remember_pass(replace(state, accepts_losses=True))
            return False
        blobs, size = await self._metadata.scan(scrub.totals)
        now_us = await self.clock_guard.now_us()
        begun = _Pass(now_us, self._now_us(), dry_run, blobs, size, accept_losses)
        await self._remember_pass(begun)
        return True

    async def scrub_is_due(self, interval: timedelta) -> bool:
        """Whether the last pass that put things right began so long ago, and none is under way."""
        state = await self._pass(_CURRENT)
        if state is not None and state.ended_us is None:
            return False
        last = await self._pass(_COMPLETED)
        if last is None:
            return True
        now_us = await self.clock_guard.now_us()
        return last.began_us + interval // timedelta(microseconds=1) <= now_us

    async def scrub_some(self, throttle: Throttle | None = None) -> ScrubStep | None:
        """One step of the pass: at most 128 blobs, or as many as make 64 MiB.

        What is damaged or missing is put in quarantine, what is found whole is let out of it. What
        cannot be read, or not be opened for want of a key, is told and not held against its bytes.
        None when there is nothing to do for now: no pass, or one that is halted.
        """
        state = await self._pass(_CURRENT)
        if state is None or state.ended_us is not None:
            return None
        after = bytes.fromhex(state.after)
        page = await self._metadata.scan(scrub.suspects, after, state.before_us, _PAGE)
        try:
            seen = await self._look_at(page, state, throttle or Throttle())
        except _Halted as halted:
            if state.halted != str(halted):
                _log.error("scrub is halted: %s", halted)
                await self._remember_pass(replace(state, halted=str(halted)))
            return None
        if not page:
            await self._end(state)
            return None
        kept = await self._metadata.write(
            findings.record,
            seen.damaged,
            self._now_us(),
            quarantine=not state.dry_run,
        )
        if seen.whole and not state.dry_run:
            await self._metadata.write(findings.withdraw, seen.whole)
        for each in kept:
            _log.error("blob %s: %s (%s)", each.blob_id.hex(), each.damage.name, each.reason)
        if kept or seen.whole:
            await self.refresh_quarantine()
        await self._remember_pass(_added(state, seen, kept))
        return ScrubStep(seen.blobs, seen.read, len(kept))

    async def release_finding(self, blob_id: bytes) -> bool:
        """Look at it again: one that is whole by now is let out of quarantine and forgotten.

        Raises: KeyUnavailable, StoreBusy.
        """
        suspect = await self._metadata.scan(scrub.suspect, blob_id)
        if suspect is None or not suspect.is_found:
            return False
        verifier = Verifier(self._blobs, self._opened, Throttle())
        if await verifier.verify(suspect) is not None:
            return False
        await self._metadata.write(findings.withdraw, [blob_id])
        await self.refresh_quarantine()
        return True

    async def scrub_state(self) -> ScrubState:
        return ScrubState(
            _told(await self._pass(_CURRENT)),
            _told(await self._pass(_COMPLETED)),
            await self._metadata.scan(findings.counts),
        )

    async def findings(self, after: bytes = b"", limit: int = 100) -> Sequence[Finding]:
        """Those behind the blob id `after`, in the order of their ids."""
        return await self._metadata.scan(findings.findings, after, limit)

    async def _look_at(self, page: Sequence[Suspect], state: _Pass, throttle: Throttle) -> _Seen:
        """Raises: _Halted."""
        verifier = Verifier(self._blobs, self._opened, throttle)
        seen = _Seen()
        for suspect in page:
            try:
                damaged = await verifier.verify(suspect)
            except KeyUnavailable:
                seen.sealed_away += 1
            except StoreBusy:
                raise _Halted(_UNREACHABLE) from None
            else:
                self._judge(suspect, damaged, seen)
            if seen.missing_together == _LOST_TOGETHER and not state.accepts_losses:
                raise _Halted(_LOST)
            seen.last, seen.blobs = suspect.blob_id, seen.blobs + 1
            seen.read += suspect.size
            if seen.read >= _STEP_BYTES:
                break
        return seen

    def _judge(self, suspect: Suspect, damaged: Damaged | None, seen: _Seen) -> None:
        if damaged is not None:
            seen.damaged.append(damaged)
        elif suspect.is_found:
            seen.whole.append(suspect.blob_id)
        if suspect.location is Location.STORE:
            is_missing = damaged is not None and damaged.damage is Damage.MISSING
            seen.missing_together = seen.missing_together + 1 if is_missing else 0

    async def _end(self, state: _Pass) -> None:
        ended = replace(state, ended_us=self._now_us(), halted=None)
        await self._remember_pass(ended)
        if not state.dry_run:
            await self._metadata.write(facts.remember, _COMPLETED, asdict(ended))

    async def _pass(self, name: str) -> _Pass | None:
        known: Mapping[str, Any] | None = await self._metadata.scan(facts.recall, name)
        return None if known is None else _Pass(**known)

    async def _remember_pass(self, state: _Pass) -> None:
        await self._metadata.write(facts.remember, _CURRENT, asdict(state))


def _added(state: _Pass, seen: _Seen, kept: Sequence[Damaged]) -> _Pass:
    of = {damage: sum(each.damage is damage for each in kept) for damage in Damage}
    return replace(
        state,
        after=seen.last.hex(),
        blobs=state.blobs + seen.blobs,
        bytes=state.bytes + seen.read,
        corrupt=state.corrupt + of[Damage.CORRUPT],
        missing=state.missing + of[Damage.MISSING],
        unreadable=state.unreadable + of[Damage.UNREADABLE],
        sealed_away=state.sealed_away + seen.sealed_away,
        halted=None,
    )


def _told(state: _Pass | None) -> ScrubPass | None:
    if state is None:
        return None
    return ScrubPass(
        to_datetime(state.began_us),
        None if state.ended_us is None else to_datetime(state.ended_us),
        state.dry_run,
        state.blobs,
        state.bytes,
        state.all_blobs,
        state.all_bytes,
        state.corrupt,
        state.missing,
        state.unreadable,
        state.sealed_away,
        state.halted,
    )
