"""The framed form: every range opens, nothing that was changed does."""

import os
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_storage.sealing.frames import (
    FRAME_BYTES,
    TAG_BYTES,
    FrameBroken,
    Opener,
    Sealer,
    open_sealed,
    plain_size,
    seal,
    sealed_size,
)

_KEY = bytes(range(32))
_STRIDE = FRAME_BYTES + TAG_BYTES

near_a_frame = st.builds(
    lambda frames, more: max(0, frames * FRAME_BYTES + more),
    st.integers(0, 4),
    st.integers(-20, 20),
)
sizes = st.one_of(st.integers(0, 300), near_a_frame, st.integers(0, 5 * FRAME_BYTES))


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@given(size=sizes, cuts=st.lists(st.integers(0, 5 * FRAME_BYTES), max_size=6))
def test_however_it_is_cut_the_sealed_form_is_the_same(size: int, cuts: list[int]) -> None:
    data = os.urandom(size)
    sealer = Sealer(_KEY)
    sealed = b"".join(map(sealer.update, pieces(data, cuts))) + sealer.finish()
    assert sealed == seal(_KEY, data)
    assert len(sealed) == sealed_size(size)
    assert plain_size(len(sealed)) == size
    assert open_sealed(_KEY, sealed) == data


@given(size=sizes, data=st.data())
def test_a_range_needs_only_its_frames(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size))
    length = data.draw(st.integers(0, size - start))
    cuts = data.draw(st.lists(st.integers(0, size), max_size=4))
    content = os.urandom(size)
    sealed = seal(_KEY, content)
    opener = Opener(_KEY, size, start, length)
    wanted = sealed[opener.offset : opener.offset + opener.length]
    opened = b"".join(map(opener.update, pieces(wanted, cuts)))
    assert opened == content[start : start + length]
    frames = 0 if not length else (start + length - 1) // FRAME_BYTES - start // FRAME_BYTES + 1
    assert len(wanted) <= frames * _STRIDE
    assert (not length) == (not wanted)


@given(size=st.integers(1, 3 * FRAME_BYTES), place=st.integers(0), bit=st.integers(0, 7))
def test_a_changed_bit_is_noticed(size: int, place: int, bit: int) -> None:
    sealed = bytearray(seal(_KEY, bytes(size)))
    place %= len(sealed)
    sealed[place] ^= 1 << bit
    with pytest.raises(FrameBroken) as broken:
        open_sealed(_KEY, sealed)
    assert broken.value.number == place // _STRIDE


def test_frames_do_not_open_at_another_place() -> None:
    sealed = seal(_KEY, bytes(4 * FRAME_BYTES))
    frames = [sealed[at : at + _STRIDE] for at in range(0, len(sealed), _STRIDE)]
    swapped = b"".join([frames[1], frames[0], *frames[2:]])
    for forged in (swapped, b"".join(frames[:-1]), b"".join(frames[1:])):
        with pytest.raises(FrameBroken):
            open_sealed(_KEY, forged)


def test_cutting_off_frames_is_noticed_even_by_who_believes_the_size() -> None:
    sealed = seal(_KEY, bytes(2 * FRAME_BYTES))
    with pytest.raises(FrameBroken):
        Opener(_KEY, FRAME_BYTES, 0, FRAME_BYTES).update(sealed[:_STRIDE])
    with pytest.raises(FrameBroken):
        open_sealed(_KEY, b"")
    with pytest.raises(FrameBroken):
        open_sealed(bytes(32), seal(_KEY, b"under another key"))


def test_a_range_outside_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="within"):
        Opener(_KEY, 10, 5, 6)
