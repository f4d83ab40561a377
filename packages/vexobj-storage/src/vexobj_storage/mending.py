"""What scrub has found: whose bytes they are, and new bytes for them where there are some again.

Both look at what is there when they are called, and may be cut off and run again.
"""

import logging
from collections.abc import Sequence

from vexobj_storage.content import Content
from vexobj_storage.errors import KeyUnavailable, StoreBusy
from vexobj_storage.metadata.ops import findings, healing, rewriting, scrub
from vexobj_storage.metadata.ops.rewriting import PartChanged, StoredBlob
from vexobj_storage.verifying import Throttle, Verifier

_PAGE = 500
_TOGETHER = 10_000
"""Findings whose places are looked for in one walk."""

_log = logging.getLogger(__name__)


class Mending(Content):
    async def trace_findings(self) -> int:
        """Find what has the bytes of new findings: all versions are read, once for up to 10,000.

        How many findings were traced.
        """
        traced = 0
        while blob_ids := frozenset(await self._metadata.scan(findings.untraced, _TOGETHER)):
            await self._trace(blob_ids)
            await self._metadata.write(findings.mark_traced, blob_ids)
            traced += len(blob_ids)
        return traced

    async def heal_findings(self, throttle: Throttle | None = None) -> int:
        """Let what has bytes in quarantine have others of the same content, if any were put.

        These are read first. How many findings came to their end so.
        """
        healed, after = 0, b""
        while page := await self._metadata.scan(healing.healable, after, _PAGE):
            for blob_id, twins in page:
                twin = await self._whole(twins, throttle or Throttle())
                if twin is not None and await self._heal(blob_id, twin):
                    _log.warning("blob %s is healed by %s", blob_id.hex(), twin.blob_id.hex())
                    healed += 1
            after = page[-1][0]
        return healed

    async def _trace(self, blob_ids: frozenset[bytes]) -> None:
        manifests: dict[bytes, set[bytes]] = {}
        after: tuple[int | bytes, ...] | None = ()
        while after is not None:
            traced, holding = await self._metadata.scan(scrub.trace_parts, blob_ids, after, _PAGE)
            for upload_id, held in holding.items():
                manifests.setdefault(upload_id, set()).update(held)
            after = await self._placed(traced)
        # A version moves from `objects` to `versions` when it is replaced, and seldom back.
        for current in (True, False, True):
            after = ()
            while after is not None:
                traced = await self._metadata.scan(
                    scrub.trace_versions, blob_ids, manifests, after, _PAGE, current=current
                )
                after = await self._placed(traced)

    async def _placed(self, traced: scrub.Traced) -> tuple[int | bytes, ...] | None:
        if traced.places:
            await self._metadata.write(findings.add_places, traced.places)
        return traced.after

    async def _whole(self, twins: Sequence[StoredBlob], throttle: Throttle) -> StoredBlob | None:
        """One of them that can be read, and is what it should be."""
        verifier = Verifier(self._blobs, self._opened, throttle)
        for twin in twins:
            suspect = await self._metadata.scan(scrub.suspect, twin.blob_id)
            if suspect is None:
                continue
            try:
                if await verifier.verify(suspect) is None:
                    return twin
            except (KeyUnavailable, StoreBusy):
                continue
        return None

    async def _heal(self, blob_id: bytes, twin: StoredBlob) -> bool:
        """False while something still refers to it."""
        now_us = self._now_us()
        while versions := await self._metadata.scan(healing.versions_of, blob_id, _PAGE):
            exchanged = [
                await self._metadata.write(
                    rewriting.exchange_in_version, version, blob_id, twin, now_us
                )
                for version in versions
            ]
            if not any(exchanged):
                break
        parts = await self._metadata.scan(healing.parts_of, blob_id)
        for upload_id, packed in parts.items():
            try:
                await self._metadata.write(
                    rewriting.exchange_in_parts, upload_id, packed, {blob_id: twin}, now_us
                )
            except PartChanged:
                continue  # the next run sees it as it is then
        if await self._metadata.scan(healing.is_referred, blob_id):
            await self._metadata.write(findings.trace_again, blob_id)
            return False
        await self._metadata.write(findings.end, blob_id)
        return True
