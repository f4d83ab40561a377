"""Master keys wrap root keys, root keys give each blob its own, ids tell which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_storage.sealing.ids import new_blob_id, sealing_key
from vexobj_storage.sealing.keys import MasterKey, RootKey, WrappedKey, new_root_key, unwrap

_ONE, _TWO = MasterKey(b"1" * 32), MasterKey(b"2" * 32)


def test_a_root_key_comes_back_from_its_master_key_alone() -> None:
    root = new_root_key(7)
    wrapped = _ONE.wrap(root)
    assert _ONE.unwrap(wrapped) == root
    assert unwrap(wrapped, [_TWO, _ONE]) == root
    assert unwrap(wrapped, [_TWO]) is None
    assert _TWO.unwrap(wrapped) is None
    assert root.secret not in wrapped.wrapped
    assert wrapped.master_key_id == _ONE.id != _TWO.id


def test_a_wrapped_key_does_not_open_under_another_id_or_when_changed() -> None:
    wrapped = _ONE.wrap(new_root_key(7))
    assert _ONE.unwrap(WrappedKey(8, _ONE.id, wrapped.wrapped)) is None
    assert _ONE.unwrap(WrappedKey(7, _ONE.id, wrapped.wrapped[:-1])) is None
    assert _ONE.unwrap(WrappedKey(7, _ONE.id, b"")) is None


def test_each_blob_and_each_purpose_has_its_own_key() -> None:
    root = RootKey(1, b"r" * 32)
    ids = [new_blob_id(1) for _ in range(100)]
    keys = {root.data_key(blob_id) for blob_id in ids} | {root.derive("a"), root.derive("b")}
    assert len(keys) == 102
    assert root.data_key(ids[0]) == RootKey(1, b"r" * 32).data_key(ids[0])


def test_keys_are_not_shown() -> None:
    assert "r" * 32 not in repr(RootKey(1, b"r" * 32))
    assert repr(_ONE) == f"MasterKey({_ONE.id})"
    with pytest.raises(ValueError, match="32 bytes"):
        MasterKey(b"short")


@given(st.integers(1, 65535))
def test_an_id_tells_its_key(key_id: int) -> None:
    sealed, plain = new_blob_id(key_id), new_blob_id()
    assert (sealing_key(sealed), sealing_key(plain)) == (key_id, 0)
    assert (len(sealed), len(plain)) == (16, 16)


@pytest.mark.parametrize("key_id", [-1, 65536])
def test_no_other_ids(key_id: int) -> None:
    with pytest.raises(ValueError, match="root key"):
        new_blob_id(key_id)
