"""Opening a store where it cannot be."""

from pathlib import Path

import pytest

from vexobj_storage import ObjectStore, StoreConfig, WriteFailed


async def test_a_directory_that_cannot_be(tmp_path: Path, metadata_url: str | None) -> None:
    """Over PostgreSQL the metadata is open already when it turns out."""
    (tmp_path / "file").touch()
    with pytest.raises(WriteFailed):
        await ObjectStore.open(StoreConfig(tmp_path / "file" / "data", metadata_url))
