"""The packed form of an object's segments and parts; read in place, never unpacked as a whole.

An object of 10,000 parts is one `bytes` of about half a megabyte; a range read looks at the few
entries that it needs.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

from vexobj_storage.sealing.ids import sealing_key
from vexobj_storage.types import Location, Segment

_HEADER = struct.Struct(">II")
_SEGMENT = struct.Struct(">Q16sQQB")
_PART = struct.Struct(">IQ")
_START = struct.Struct(">Q")
_NUMBER = struct.Struct(">I")


class Layout(Sequence[Segment]):
    """Segments in order of their `start`, without gaps; and the parts, by number."""

    def __init__(self, packed: bytes) -> None:
        self.packed = packed
        segments, parts = _HEADER.unpack_from(packed)
        self._segments: int = segments
        self._parts: int = parts
        self._parts_at = _HEADER.size + self._segments * _SEGMENT.size

    @classmethod
    def pack(cls, segments: Sequence[Segment], parts: Sequence[tuple[int, int]] = ()) -> "Layout":
        """`parts` are (number, start), ascending."""
        packed = bytearray(_HEADER.pack(len(segments), len(parts)))
        for segment in segments:
            packed += _SEGMENT.pack(
                segment.start, segment.blob_id, segment.offset, segment.length, segment.location
            )
        for part in parts:
            packed += _PART.pack(*part)
        return cls(bytes(packed))

    @classmethod
    def join(cls, parts: Iterable[tuple[int, "Layout"]]) -> "Layout":
        """The layout of an object that consists of numbered parts, each with its own."""
        segments: list[Segment] = []
        starts: list[tuple[int, int]] = []
        start = 0
        for number, layout in parts:
            starts.append((number, start))
            for piece in layout:
                segments.append(
                    Segment(start, piece.blob_id, piece.offset, piece.length, piece.location)
                )
                start += piece.length
        return cls.pack(segments, starts)

    def replaced(self, parts: Mapping[int, tuple["Layout", "Layout"]]) -> "Layout":
        """The same with parts, by number, from other blobs: of each its layout before and after.

        Raises: ValueError if a part is not in here as it is said to be.
        """
        packed = bytearray(self.packed)
        for number, (before, after) in parts.items():
            span = self.part(number)
            if span is None:
                continue
            index = bisect_right(range(self._segments), span[0] - 1, key=self._start)
            for old, new in zip(before, after, strict=True):
                index = _exchange(packed, index, self._segments, old, new)
        return Layout(bytes(packed))

    def __len__(self) -> int:
        return self._segments

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> list[Segment]: ...
    def __getitem__(self, index: int | slice) -> Segment | list[Segment]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._segments))]
        if not -self._segments <= index < self._segments:
            raise IndexError(index)
        at = _HEADER.size + index % self._segments * _SEGMENT.size
        start, blob_id, offset, length, location = _SEGMENT.unpack_from(self.packed, at)
        return Segment(start, blob_id, offset, length, Location(location))

    @property
    def size(self) -> int:
        if not self._segments:
            return 0
        last = self[-1]
        end: int = last.start + last.length
        return end

    @property
    def has_inline(self) -> bool:
        """Whether a segment's bytes are in the metadata store."""
        at = _HEADER.size + _SEGMENT.size - 1
        return Location.INLINE in self.packed[at : self._parts_at : _SEGMENT.size]

    @cached_property
    def is_sealed(self) -> bool:
        """Whether every segment's blob is encrypted."""
        return all(sealing_key(segment.blob_id) for segment in self)

    @property
    def part_numbers(self) -> Iterator[int]:
        for index in range(self._parts):
            yield self._part(index)[0]

    def locate(self, start: int) -> Segment | None:
        """The segment that holds the byte at `start`."""
        index = bisect_right(range(self._segments), start, key=self._start) - 1
        if index < 0:
            return None
        segment = self[index]
        return segment if start < segment.start + segment.length else None

    def slice(self, start: int, length: int) -> list[Segment]:
        """The segments of a range, cut to it and counted from its beginning."""
        end = start + length
        cut: list[Segment] = []
        index = bisect_right(range(self._segments), start, key=self._start) - 1
        for at_index in range(max(index, 0), self._segments if length else 0):
            piece = self[at_index]
            if piece.start >= end:
                break
            skipped = max(start - piece.start, 0)
            taken = min(piece.start + piece.length, end) - piece.start - skipped
            if taken > 0:
                at = piece.start + skipped - start
                offset = piece.offset + skipped
                cut.append(Segment(at, piece.blob_id, offset, taken, piece.location))
        return cut

    def part(self, number: int) -> tuple[int, int] | None:
        """(start, length) of the part with this number."""
        index = bisect_right(range(self._parts), number, key=self._number) - 1
        if index < 0 or self._number(index) != number:
            return None
        start = self._part(index)[1]
        end = self._part(index + 1)[1] if index + 1 < self._parts else self.size
        return start, end - start

    def _start(self, index: int) -> int:
        start: int = _START.unpack_from(self.packed, _HEADER.size + index * _SEGMENT.size)[0]
        return start

    def _number(self, index: int) -> int:
        number: int = _NUMBER.unpack_from(self.packed, self._parts_at + index * _PART.size)[0]
        return number

    def _part(self, index: int) -> tuple[int, int]:
        number, start = _PART.unpack_from(self.packed, self._parts_at + index * _PART.size)
        return number, start


def _exchange(packed: bytearray, index: int, end: int, old: Segment, new: Segment) -> int:
    """Empty segments share their start with others: it is looked for. The index behind it."""
    for found in range(index, end):
        at = _HEADER.size + found * _SEGMENT.size
        start, blob_id, offset, length, _ = _SEGMENT.unpack_from(packed, at)
        if (blob_id, offset, length) == (old.blob_id, old.offset, old.length):
            _SEGMENT.pack_into(packed, at, start, new.blob_id, offset, length, new.location)
            return found + 1
    raise ValueError(f"blob {old.blob_id.hex()} is not where its part should be")
