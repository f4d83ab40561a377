"""What a store does by itself as time goes by: lifecycle rules, and uploads that nobody ends.

All of it goes by the guarded clock, and nothing is done at all while that clock is held.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from vexobj_storage import lifecycle
from vexobj_storage.core import Core
from vexobj_storage.errors import InvalidLifecycleRule, NoSuchLifecycleRule
from vexobj_storage.lifecycle import LifecycleRule
from vexobj_storage.metadata.ops import lifecycle as ops
from vexobj_storage.metadata.rows import to_us
from vexobj_storage.sweeping import LifecycleSweep, Pace, abort, ruled_buckets
from vexobj_storage.types import LifecycleReport

_PIECE = 100
_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


class Expiry(Core):
    async def set_lifecycle(
        self, bucket: str, rules: Sequence[LifecycleRule]
    ) -> Sequence[LifecycleRule]:
        """Replace all rules of a bucket; one with an empty id is given one.

        A rule whose id was there before keeps its `created_at`.
        Raises: NoSuchBucket, InvalidLifecycleRule.
        """
        named = [_named(rule) for rule in rules]

        def edit(old: Sequence[LifecycleRule]) -> Sequence[LifecycleRule]:
            since = {rule.id: rule.created_at for rule in old}
            return [replace(r, created_at=since.get(r.id, r.created_at)) for r in named]

        return await self._metadata.write(ops.edit_rules, bucket, edit)

    async def add_lifecycle_rule(self, bucket: str, rule: LifecycleRule) -> LifecycleRule:
        """One with an empty id is given one. Raises: NoSuchBucket, InvalidLifecycleRule."""
        named = _named(rule)
        await self._metadata.write(ops.edit_rules, bucket, lambda old: [*old, named])
        return named

    async def remove_lifecycle_rule(self, rule_id: str, bucket: str | None = None) -> None:
        """In whatever bucket it is.

        Raises: NoSuchLifecycleRule; InvalidLifecycleRule when no bucket is named and rules of
            several have this id.
        """
        names = [
            each.name
            async for each in ruled_buckets(self._metadata)
            if bucket in (None, each.name)
            and any(rule.id == rule_id for rule in lifecycle.load(each.settings))
        ]
        if not names:
            raise NoSuchLifecycleRule(rule_id)
        if len(names) > 1:
            raise InvalidLifecycleRule(rule_id, "rules of several buckets have this id")
        await self._metadata.write(
            ops.edit_rules, names[0], lambda old: [rule for rule in old if rule.id != rule_id]
        )

    async def sweep_lifecycle(
        self, *, day: timedelta = _DAY, rest: float = 0.0, resume: bool = False
    ) -> LifecycleReport:
        """Do what is due by the rules of all buckets, page by page in bounded transactions.

        For each second of work it rests for `rest` seconds. With `resume` it goes on where an
        earlier one with it was cut off. Several sweeps may run at once. `day` is how long a day of
        the rules is.
        """
        state = await self.clock_guard.watch()
        if state.held:
            return LifecycleReport(held=True)
        now_us, day_us = to_us(state.believed_at), day // _MICROSECOND
        return await LifecycleSweep(self._metadata, now_us, day_us, Pace(rest, resume)).run()

    async def abort_stale_uploads(self, idle: timedelta) -> int:
        """Abort the uploads in which nothing has happened for so long; how many there were."""
        state = await self.clock_guard.watch()
        if state.held:
            return 0
        aborted, now_us = 0, to_us(state.believed_at)
        before_us = now_us - idle // _MICROSECOND
        while True:
            stale = await self._metadata.scan(ops.stale_uploads, before_us, _PIECE)
            ended = [await abort(self._metadata, *each, now_us) for each in stale]
            aborted += sum(ended)
            if len(stale) < _PIECE or not any(ended):
                return aborted


def _named(rule: LifecycleRule) -> LifecycleRule:
    return rule if rule.id else replace(rule, id=str(uuid4()))
