"""A cache entry as a file: a header with lengths and a checksum, the metadata, the data.

Entries are not synced, so after a power loss a file may be empty, short or full of zeros. The
checksum finds that out, and covers the key, so that a file under a wrong name is none.
"""

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from vexobj_cache.base import CacheEntry

_HEADER = struct.Struct(">4sIQI")
_MAGIC = b"VXC1"
_MAX_METADATA = 64 * 1024
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class EntryHeader:
    """Where the data stands in the file, and what is known of it."""

    offset: int
    size: int
    checksum: int
    metadata_json: bytes

    @property
    def metadata(self) -> Mapping[str, str]:
        decoded: dict[str, str] = json.loads(self.metadata_json)
        return decoded


def encode_prefix(key: str, entry: CacheEntry) -> bytes:
    """What stands before the data."""
    metadata = json.dumps(dict(entry.metadata), separators=(",", ":")).encode()
    if len(metadata) > _MAX_METADATA:
        raise ValueError("the metadata of a cache entry is limited to 64 KiB")
    checksum = zlib.crc32(entry.data, _seed(key, metadata))
    return _HEADER.pack(_MAGIC, len(metadata), len(entry.data), checksum) + metadata


def decode(key: str, raw: bytes | memoryview) -> CacheEntry | None:
    """The entry that a whole file holds, None if it is spoilt or another key's."""
    header = _parse(raw, len(raw))
    if header is None:
        return None
    data = bytes(raw[header.offset :])
    if zlib.crc32(data, _seed(key, header.metadata_json)) != header.checksum:
        return None
    return CacheEntry(data, header.metadata)


def read_header(file: BinaryIO, file_size: int) -> EntryHeader | None:
    """The header if the file has one and is as long as it says; the file then stands behind it."""
    header = _parse(file.read(_HEADER.size + _MAX_METADATA), file_size)
    if header is not None:
        file.seek(header.offset)
    return header


def _parse(start: bytes | memoryview, file_size: int) -> EntryHeader | None:
    if len(start) < _HEADER.size:
        return None
    magic, metadata_size, size, checksum = _HEADER.unpack_from(start)
    offset = _HEADER.size + metadata_size
    if magic != _MAGIC or metadata_size > _MAX_METADATA or offset + size != file_size:
        return None
    return EntryHeader(offset, size, checksum, bytes(start[_HEADER.size : offset]))


def file_is_intact(key: str, header: EntryHeader, file: BinaryIO) -> bool:
    """As data_is_intact, reading on from where the header ended in bounded chunks."""
    checksum, remaining = _seed(key, header.metadata_json), header.size
    while remaining:
        chunk = file.read(min(remaining, _CHUNK))
        if not chunk:
            return False
        checksum = zlib.crc32(chunk, checksum)
        remaining -= len(chunk)
    return checksum == header.checksum


def _seed(key: str, metadata_json: bytes) -> int:
    return zlib.crc32(metadata_json, zlib.crc32(key.encode()))
