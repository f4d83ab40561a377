"""The XML of listings, written for a thousand entries at a time.

`url` is encoding-type=url: keys, prefixes, markers and the delimiter percent-encoded.
"""

from collections.abc import Callable, Sequence

from vexobj_s3compat.types import (
    ListMultipartUploadsInput,
    ListMultipartUploadsOutput,
    ListObjectsInput,
    ListObjectsOutput,
    ListObjectVersionsInput,
    ListObjectVersionsOutput,
    ObjectEntry,
    VersionEntry,
)
from vexobj_s3compat.xml.answers import boolean, checksum_type, etag, owner
from vexobj_s3compat.xml.text import document, element, escape_key, iso_time, url_key

_KeyWriter = Callable[[bytes], str]


def list_objects(
    request: ListObjectsInput, output: ListObjectsOutput, *, marker: bytes = b"", url: bool = False
) -> bytes:
    """ListObjects, the first version: NextMarker only where a delimiter is given."""
    write = _writer(url=url)
    following = output.next_after if request.delimiter else None
    return document(
        "ListBucketResult",
        f"{element('Name', request.bucket)}<Prefix>{write(request.prefix)}</Prefix>"
        f"<Marker>{write(marker)}</Marker>{_key('NextMarker', following, write)}"
        f"<MaxKeys>{request.max_keys}</MaxKeys>{_delimiter(request.delimiter, write, url=url)}"
        f"<IsTruncated>{boolean(output.next_after is not None)}</IsTruncated>"
        f"{_objects(output.objects, write)}{_prefixes(output.common_prefixes, write)}",
    )


def list_objects_v2(
    request: ListObjectsInput,
    output: ListObjectsOutput,
    *,
    start_after: bytes = b"",
    continuation_token: str | None = None,
    next_continuation_token: str | None = None,
    url: bool = False,
) -> bytes:
    """ListObjectsV2; tokens are opaque and written as they are."""
    write = _writer(url=url)
    count = len(output.objects) + len(output.common_prefixes)
    return document(
        "ListBucketResult",
        f"{element('Name', request.bucket)}<Prefix>{write(request.prefix)}</Prefix>"
        f"{_key('StartAfter', start_after or None, write)}"
        f"{element('ContinuationToken', continuation_token)}"
        f"{element('NextContinuationToken', next_continuation_token)}"
        f"<KeyCount>{count}</KeyCount><MaxKeys>{request.max_keys}</MaxKeys>"
        f"{_delimiter(request.delimiter, write, url=url)}"
        f"<IsTruncated>{boolean(output.next_after is not None)}</IsTruncated>"
        f"{_objects(output.objects, write)}{_prefixes(output.common_prefixes, write)}",
    )


def list_object_versions(
    request: ListObjectVersionsInput, output: ListObjectVersionsOutput, *, url: bool = False
) -> bytes:
    write = _writer(url=url)
    truncated = output.next_key_marker is not None
    return document(
        "ListVersionsResult",
        f"{element('Name', request.bucket)}<Prefix>{write(request.prefix)}</Prefix>"
        f"<KeyMarker>{write(request.key_marker)}</KeyMarker>"
        f"{element('VersionIdMarker', request.version_id_marker or '')}"
        f"{_key('NextKeyMarker', output.next_key_marker, write)}"
        f"{element('NextVersionIdMarker', output.next_version_id_marker)}"
        f"<MaxKeys>{request.max_keys}</MaxKeys>{_delimiter(request.delimiter, write, url=url)}"
        f"<IsTruncated>{boolean(truncated)}</IsTruncated>"
        f"{''.join([_version(version, write) for version in output.versions])}"
        f"{_prefixes(output.common_prefixes, write)}",
    )


def list_multipart_uploads(
    request: ListMultipartUploadsInput, output: ListMultipartUploadsOutput, *, url: bool = False
) -> bytes:
    write = _writer(url=url)
    uploads = "".join(
        f"<Upload><Key>{write(upload.key)}</Key>{element('UploadId', upload.upload_id)}"
        f"{owner(upload.owner, 'Initiator')}{owner(upload.owner)}"
        "<StorageClass>STANDARD</StorageClass>"
        f"<Initiated>{iso_time(upload.initiated_at)}</Initiated></Upload>"
        for upload in output.uploads
    )
    return document(
        "ListMultipartUploadsResult",
        f"{element('Bucket', request.bucket)}<KeyMarker>{write(request.key_marker)}</KeyMarker>"
        f"{element('UploadIdMarker', request.upload_id_marker or '')}"
        f"{_key('NextKeyMarker', output.next_key_marker, write)}"
        f"{element('NextUploadIdMarker', output.next_upload_id_marker)}"
        f"<Prefix>{write(request.prefix)}</Prefix>"
        f"{_delimiter(request.delimiter, write, url=url)}"
        f"<MaxUploads>{request.max_uploads}</MaxUploads>"
        f"<IsTruncated>{boolean(output.next_key_marker is not None)}</IsTruncated>"
        f"{uploads}{_prefixes(output.common_prefixes, write)}",
    )


def _writer(*, url: bool) -> _KeyWriter:
    return url_key if url else escape_key


def _objects(objects: Sequence[ObjectEntry], write: _KeyWriter) -> str:
    return "".join(
        [
            f"<Contents><Key>{write(entry.key)}</Key>"
            f"<LastModified>{iso_time(entry.last_modified)}</LastModified>"
            f"{etag(entry.etag)}{_checksum(entry)}<Size>{entry.size}</Size>"
            f"{'' if entry.owner is None else owner(entry.owner)}"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for entry in objects
        ]
    )


def _checksum(entry: ObjectEntry) -> str:
    if entry.checksum_algorithm is None:
        return ""
    return (
        f"<ChecksumAlgorithm>{entry.checksum_algorithm}</ChecksumAlgorithm>"
        f"<ChecksumType>{checksum_type(composite=entry.checksum_composite)}</ChecksumType>"
    )


def _version(entry: VersionEntry, write: _KeyWriter) -> str:
    common = (
        f"<Key>{write(entry.key)}</Key>{element('VersionId', entry.version_id)}"
        f"<IsLatest>{boolean(entry.is_latest)}</IsLatest>"
        f"<LastModified>{iso_time(entry.last_modified)}</LastModified>"
    )
    if entry.is_delete_marker:
        return f"<DeleteMarker>{common}{owner(entry.owner)}</DeleteMarker>"
    return (
        f"<Version>{common}{etag(entry.etag)}<Size>{entry.size}</Size>{owner(entry.owner)}"
        "<StorageClass>STANDARD</StorageClass></Version>"
    )


def _prefixes(prefixes: Sequence[bytes], write: _KeyWriter) -> str:
    return "".join(
        [
            f"<CommonPrefixes><Prefix>{write(prefix)}</Prefix></CommonPrefixes>"
            for prefix in prefixes
        ]
    )


def _key(name: str, key: bytes | None, write: _KeyWriter) -> str:
    return "" if key is None else f"<{name}>{write(key)}</{name}>"


def _delimiter(delimiter: bytes, write: _KeyWriter, *, url: bool) -> str:
    encoding = "<EncodingType>url</EncodingType>" if url else ""
    return (f"<Delimiter>{write(delimiter)}</Delimiter>" if delimiter else "") + encoding
