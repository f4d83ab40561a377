"""Rewriting what is stored to the protection that new content gets, in steps that may be cut off.

What it walks and how it exchanges blobs stands in metadata/ops/rewriting.py. The walk's place is a
fact, so whoever goes on, after a restart too, goes on where it was. It is done when a whole walk
has found nothing left, and began so late that every process must have known the newest root key.
"""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from vexobj_storage import staging
from vexobj_storage.content import Content
from vexobj_storage.errors import BlobCorrupt, BlobMissing, KeyUnavailable
from vexobj_storage.metadata.layout import Layout
from vexobj_storage.metadata.ops import facts, objects, rewriting
from vexobj_storage.metadata.ops.rewriting import PARTS, WALKS, PartChanged, Replacement, StoredBlob
from vexobj_storage.metadata.tx import Row
from vexobj_storage.sealing.ids import sealing_key
from vexobj_storage.types import Location, RewriteProgress, RewriteStep, StagedContent

_FACT = "rewriting"
_PAGE = 64
_STEP_BYTES = 64 * 1024**2
_SPREAD_US = round(timedelta(minutes=2) / timedelta(microseconds=1))
"""By then every process has looked for new root keys."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _State:
    """`found` is of the walk under way, which began at `walk_us`; the others since the start."""

    key_id: int
    began_us: int
    walk_us: int
    table: int = 0
    after: tuple[int | str, ...] = ()
    found: int = 0
    blobs: int = 0
    bytes: int = 0
    failed: int = 0
    ended_us: int | None = None


class Rewriting(Content):
    async def start_rewriting(self) -> None:
        """From now on everything is to be as new content is: sealed, under a root key made for it.

        Or plain, where nothing new is sealed. One that is under way goes on, with its key.
        """
        state = await self._state()
        if state is not None and state.ended_us is None:
            return
        now_us = self._now_us()
        await self._keys.add(now_us)
        await self._remember(_State(self._target, now_us, now_us))

    async def rewrite_some(self) -> RewriteStep | None:
        """One step of what was started: at most 64 blobs, or as many as make 64 MiB.

        None when there is nothing more to do for now. A blob that cannot be read is logged,
        counted and left as it is.

        Raises: OutOfSpace, WriteFailed and others of the store itself; the step is done again.
        """
        state = await self._state()
        if state is None or state.ended_us is not None:
            return None
        await self._keys.refresh()
        if state.key_id != self._target:
            state = _State(self._target, state.began_us, self._now_us())
        walk = WALKS[state.table]
        after = _places(state.after) or walk.origin
        found = await self._metadata.scan(rewriting.page, walk, after, _PAGE)
        if not found:
            return await self._next_table(state)
        step = self._parts if walk is PARTS else self._versions
        done, last = await step(state, found)
        await self._remember(replace(done, after=_encoded(last[: len(walk.key)])))
        return RewriteStep(
            done.blobs - state.blobs, done.bytes - state.bytes, done.failed - state.failed
        )

    async def rewriting(self) -> RewriteProgress | None:
        """How far it is; None if it was never asked for. Looks at every blob."""
        state = await self._state()
        if state is None:
            return None
        blobs, size = await self._metadata.scan(rewriting.remaining, state.key_id)
        return RewriteProgress(
            state.key_id,
            state.blobs,
            state.bytes,
            state.failed,
            blobs,
            size,
            state.ended_us is not None,
        )

    @property
    def _target(self) -> int:
        return 0 if self._keys.current is None else self._keys.current.id

    async def _next_table(self, state: _State) -> RewriteStep | None:
        if state.table + 1 < len(WALKS):
            await self._remember(replace(state, table=state.table + 1, after=()))
            return RewriteStep()
        now_us = self._now_us()
        if not state.found and state.walk_us >= state.began_us + _SPREAD_US:
            await self._remember(replace(state, ended_us=now_us))
            return None
        await self._remember(replace(state, table=0, after=(), found=0, walk_us=now_us))
        return RewriteStep() if state.found else None

    async def _versions(self, state: _State, found: Sequence[Row]) -> tuple[_State, Row]:
        began = state.bytes
        for row in found:
            bucket_id, key, uid, blob_id = row[0], row[1], row[-2], row[-1]
            if blob_id is None or sealing_key(blob_id) == self._target:
                continue
            changes, state = await self._replacements(state, [blob_id])
            for new in changes.values():
                done = await self._metadata.write(
                    rewriting.exchange_in_version,
                    (bucket_id, key, uid),
                    blob_id,
                    new,
                    self._now_us(),
                )
                if not done:
                    await self._give_back(changes)
            if state.bytes - began >= _STEP_BYTES:
                return state, row
        return state, found[-1]

    async def _parts(self, state: _State, found: Sequence[Row]) -> tuple[_State, Row]:
        """Of one upload, so that its manifest is written once."""
        upload_id, began, last = found[0][0], state.bytes, found[0]
        parts: dict[int, bytes] = {}
        changes: dict[bytes, Replacement] = {}
        for last in found:
            blob_ids = {segment.blob_id for segment in Layout(last[2])} - changes.keys()
            outdated = [b for b in blob_ids if sealing_key(b) != self._target]
            more, state = await self._replacements(state, outdated)
            changes |= more
            if any(segment.blob_id in changes for segment in Layout(last[2])):
                parts[last[1]] = last[2]
            following = found.index(last) + 1
            is_enough = state.bytes - began >= _STEP_BYTES
            if is_enough or following == len(found) or found[following][0] != upload_id:
                break
        if parts:
            try:
                done = await self._metadata.write(
                    rewriting.exchange_in_parts, upload_id, parts, changes, self._now_us()
                )
            except PartChanged:
                done = False
            if not done:
                await self._give_back(changes)
        return state, last

    async def _replacements(
        self, state: _State, blob_ids: Sequence[bytes]
    ) -> tuple[dict[bytes, Replacement], _State]:
        changes: dict[bytes, Replacement] = {}
        for blob_id in blob_ids:
            state = replace(state, found=state.found + 1)
            blob = await self._metadata.read(rewriting.find_blob, blob_id)
            if blob is None:
                if await self._metadata.read(rewriting.is_quarantined, blob_id):
                    state = replace(state, found=state.found - 1, failed=state.failed + 1)
                continue  # it went with what referred to it; if not, the next walk finds it
            try:
                changes[blob_id] = await self._replacement(blob)
            except (BlobCorrupt, BlobMissing, KeyUnavailable) as error:
                _log.warning("blob %s cannot be rewritten: %s", blob_id.hex(), error)
                state = replace(state, found=state.found - 1, failed=state.failed + 1)
                continue
            state = replace(state, blobs=state.blobs + 1, bytes=state.bytes + blob.size)
        return changes, state

    async def _replacement(self, blob: StoredBlob) -> Replacement:
        twin = await self._metadata.read(rewriting.find_twin, blob, self._target)
        if twin is not None:
            return twin
        self._check_room(blob.size)
        async with aclosing(self._content(blob)) as content:
            staged = await staging.stage(
                self._blobs,
                content,
                inline_max_bytes=self.config.inline_max_bytes,
                max_bytes=blob.size,
                size=blob.size,
                key=self._keys.current,
            )
        if staged.sha256 != blob.sha256:
            await self.discard(staged)
            raise BlobCorrupt(blob.blob_id.hex(), "its SHA-256 is another")
        return staged

    async def _content(self, blob: StoredBlob) -> AsyncGenerator[bytes, None]:
        if blob.location is Location.STORE:
            opened = self._opened.open(blob.blob_id, 0, blob.size, blob.size)
            async with aclosing(opened) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        data = await self._metadata.read(objects.inline_data, blob.blob_id)
        if data is None:
            raise BlobMissing(blob.blob_id.hex())
        yield await self._opened.inline(blob.blob_id, data)

    async def _give_back(self, changes: dict[bytes, Replacement]) -> None:
        for new in changes.values():
            if isinstance(new, StagedContent):
                await self.discard(new)

    async def _state(self) -> _State | None:
        known: dict[str, Any] | None = await self._metadata.scan(facts.recall, _FACT)
        return None if known is None else _State(**known | {"after": tuple(known["after"])})

    async def _remember(self, state: _State) -> None:
        await self._metadata.write(facts.remember, _FACT, asdict(state))


def _encoded(key: Sequence[int | bytes]) -> tuple[int | str, ...]:
    return tuple(each.hex() if isinstance(each, bytes) else each for each in key)


def _places(after: Sequence[int | str]) -> tuple[int | bytes, ...]:
    return tuple(bytes.fromhex(each) if isinstance(each, str) else each for each in after)
