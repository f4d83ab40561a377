"""The checksum of a completed object, joined from those of its parts: no byte is read again."""

from collections.abc import Mapping, Sequence

from vexobj_s3compat import checksums
from vexobj_s3compat.errors import BadDigest, InvalidRequest
from vexobj_s3compat.types import ChecksumValue, CompletedPart
from vexobj_storage import Checksum, ObjectStore, Part, Upload

_ALL_PARTS = 10_000


async def checksum_of_parts(
    store: ObjectStore,
    upload: Upload,
    named: Sequence[CompletedPart],
    promised: ChecksumValue | None,
) -> Checksum | None:
    """None where the upload has none, or its parts came without theirs.

    Raises:
        BadDigest: it is not what the client promised.
        InvalidRequest: the client promised one that cannot be known.
    """
    algorithm = upload.checksum_algorithm
    if promised is not None and promised.algorithm != algorithm:
        raise InvalidRequest(
            f"Checksum Type mismatch occurred, expected checksum Type: {algorithm or 'null'}, "
            f"actual checksum Type: {promised.algorithm}"
        )
    if algorithm is None:
        return None
    page = await store.list_parts(upload, limit=_ALL_PARTS)
    found = _joined(algorithm, upload, {part.number: part for part in page.parts}, named)
    if promised is not None:
        if found is None:
            raise InvalidRequest("The parts were uploaded without the checksum that is promised.")
        if promised.value != found.value:
            raise BadDigest(f"The {algorithm} you specified did not match the calculated checksum.")
    return found


def _joined(
    algorithm: str, upload: Upload, stored: Mapping[int, Part], named: Sequence[CompletedPart]
) -> Checksum | None:
    digests: list[tuple[bytes, int]] = []
    for one in named:
        part = stored.get(one.part_number)
        if part is None or part.etag != one.etag or part.checksum is None:
            return None
        if part.checksum.algorithm != algorithm:
            return None
        digests.append((checksums.decode(algorithm, part.checksum.value), part.size))
    if upload.checksum_composite:
        value = checksums.composite(algorithm, (digest for digest, _ in digests))
        return Checksum(algorithm, value, composite=True)
    return Checksum(algorithm, checksums.encode(checksums.full_object(algorithm, digests)))
