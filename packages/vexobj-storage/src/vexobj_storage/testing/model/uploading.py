"""Rules of multipart uploads: begun, filled, replaced, copied into, completed, aborted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from vexobj_storage.errors import (
    InvalidPart,
    InvalidPartOrder,
    NoSuchUpload,
    ObjectLocked,
    QuotaExceeded,
)
from vexobj_storage.locks import UNLOCKED, ObjectLock
from vexobj_storage.testing.helpers import PLAIN, put_part
from vexobj_storage.testing.model.machine import DATA, KEYS, Machine, has_history
from vexobj_storage.testing.model.state import Growth, Pending, md5
from vexobj_storage.types import CompletedPart, ObjectVersion, Part, Upload

_NUMBERS = st.integers(1, 4)

_has_uploads = precondition(lambda machine: machine.held.uploads)


class UploadingRules(Machine):
    @rule(key=KEYS, held=st.integers(0, 4), parts=st.dictionaries(_NUMBERS, DATA, max_size=3))
    def begin_upload(self, key: bytes, held: int, parts: dict[int, bytes]) -> None:
        self._begin(key, UNLOCKED if held else ObjectLock(legal_hold=True), parts)

    @_has_uploads
    @rule(data=st.data(), number=_NUMBERS, part=DATA)
    def send_part(self, data: st.DataObject, number: int, part: bytes) -> None:
        upload, _ = self._choose_upload(data)
        self._send(upload, number, part)

    @_has_uploads
    @has_history
    @rule(data=st.data(), number=_NUMBERS)
    def copy_part(self, data: st.DataObject, number: int) -> None:
        upload, pending = self._choose_upload(data)
        key, held = self.choose(data)
        if not held.data:
            return
        start = data.draw(st.integers(0, held.size - 1))
        length = data.draw(st.integers(1, held.size - start))
        part = held.data[start : start + length]
        source = self.run(self.store.get_object(self.bucket, key, held.id))
        with self.refused_by(self._no_room(pending, number, length)):
            copied = self.run(self.store.copy_part(upload, number, source, start, length))
            assert copied.etag == md5(part)
            self._received(pending, number, part)

    @_has_uploads
    @rule(data=st.data(), again=st.booleans())
    def complete(self, data: st.DataObject, again: bool) -> None:
        """With all of its parts, some of them, or what it does not have."""
        upload, pending = self._choose_upload(data)
        any_order = data.draw(st.integers(0, 5)) == 0
        wrong = data.draw(st.integers(0, 7)) == 0
        numbers = data.draw(st.lists(_NUMBERS, max_size=4)) if any_order else sorted(pending.parts)
        if not any_order and len(numbers) > 1 and data.draw(st.booleans()):
            numbers.remove(data.draw(st.sampled_from(numbers)))
        self._complete(upload, numbers, wrong=wrong, again=again)

    @rule(key=KEYS, parts=st.dictionaries(_NUMBERS, DATA, min_size=1, max_size=3))
    def upload_whole(self, key: bytes, parts: dict[int, bytes]) -> None:
        upload = self._begin(key, UNLOCKED, parts)
        numbers = sorted(self.held.uploads[upload.upload_id].parts)
        self._complete(upload, numbers, wrong=False, again=False)

    @_has_uploads
    @rule(data=st.data())
    def abort(self, data: st.DataObject) -> None:
        upload, pending = self._choose_upload(data)
        self.run(self.store.abort_upload(self.bucket, pending.key, upload.upload_id))
        del self.held.uploads[upload.upload_id]
        with self.refused_by(NoSuchUpload):
            self.run(put_part(self.store, upload, 1, b"late"))

    @rule(days=st.integers(0, 3))
    def abort_stale(self, days: int) -> None:
        idle = timedelta(days=days)
        stale = [
            upload_id
            for upload_id, pending in self.held.uploads.items()
            if pending.touched_at < self.clock.now() - idle
        ]
        assert self.run(self.store.abort_stale_uploads(idle)) == len(stale)
        for upload_id in stale:
            del self.held.uploads[upload_id]

    @_has_uploads
    @rule(data=st.data(), limit=st.integers(1, 3))
    def list_parts(self, data: st.DataObject, limit: int) -> None:
        upload, pending = self._choose_upload(data)
        found: list[Part] = []
        after: int | None = 0
        while after is not None:
            page = self.run(self.store.list_parts(upload, after=after, limit=limit))
            found += page.parts
            after = page.next_number
        assert [(part.number, part.size, part.etag) for part in found] == [
            (number, len(part), md5(part)) for number, part in sorted(pending.parts.items())
        ]

    def _begin(self, key: bytes, lock: ObjectLock, parts: dict[int, bytes]) -> Upload:
        upload = self.run(self.store.create_upload(self.bucket, key, PLAIN, lock=lock))
        now = self.clock.now()
        self.held.uploads[upload.upload_id] = Pending(key, lock, now, now)
        for number, part in parts.items():
            self._send(upload, number, part)
        return upload

    def _send(self, upload: Upload, number: int, part: bytes) -> None:
        pending = self.held.uploads[upload.upload_id]
        with self.refused_by(self._no_room(pending, number, len(part))):
            sent = self.run(put_part(self.store, upload, number, part))
            assert sent.etag == md5(part)
            self._received(pending, number, part)

    def _complete(
        self, upload: Upload, numbers: Sequence[int], *, wrong: bool, again: bool
    ) -> None:
        pending = self.held.uploads[upload.upload_id]
        named = [self._named(pending, number, wrong=wrong) for number in numbers]
        with self.refused_by(*self._objections(pending, numbers, wrong=wrong)):
            version = self._completed(upload, named)
            whole = b"".join(pending.parts[number] for number in numbers)
            digests = b"".join(bytes.fromhex(md5(pending.parts[n])) for n in numbers)
            del self.held.uploads[upload.upload_id]
            etag = f"{md5(digests)}-{len(numbers)}"
            self.held.write(pending.key, version.version_id, whole, etag=etag, lock=pending.lock)
            self.same(version, self.held.history[pending.key][-1])
            if again:
                assert self._completed(upload, named) == version

    def _completed(self, upload: Upload, named: Sequence[CompletedPart]) -> ObjectVersion:
        return self.run(
            self.store.complete_upload(
                self.bucket, upload.key, upload.upload_id, named, minimum_part_bytes=0
            )
        )

    def _choose_upload(self, data: st.DataObject) -> tuple[Upload, Pending]:
        upload_id = data.draw(st.sampled_from(sorted(self.held.uploads)))
        pending = self.held.uploads[upload_id]
        return self.run(self.store.upload(self.bucket, pending.key, upload_id)), pending

    def _named(self, pending: Pending, number: int, *, wrong: bool) -> CompletedPart:
        part = b"wrong" if wrong else pending.parts.get(number, b"none")
        return CompletedPart(number, md5(part))

    def _received(self, pending: Pending, number: int, part: bytes) -> None:
        pending.parts[number] = part
        pending.touched_at = self.clock.now()

    def _no_room(self, pending: Pending, number: int, size: int) -> type[Exception] | None:
        grown = size - len(pending.parts.get(number, b""))
        return None if self.held.has_room(Growth(0, grown)) else QuotaExceeded

    def _objections(
        self, pending: Pending, numbers: Sequence[int], *, wrong: bool
    ) -> Sequence[type[Exception] | None]:
        if not numbers:
            return [InvalidPart]
        for at, number in enumerate(numbers):
            if at and number <= numbers[at - 1]:
                return [InvalidPartOrder]
            if wrong or number not in pending.parts:
                return [InvalidPart]
        size = sum(len(pending.parts[number]) for number in numbers)
        grown = self.held.growth(pending.key, size)
        grown = replace(grown, bytes=grown.bytes - pending.size)
        return [
            ObjectLocked if self.held.is_locked(self.held.replaced(pending.key)) else None,
            None if self.held.has_room(grown) else QuotaExceeded,
        ]
