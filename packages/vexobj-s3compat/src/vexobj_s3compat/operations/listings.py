"""ListObjects, ListObjectsV2 and ListObjectVersions."""

from collections.abc import Sequence
from functools import lru_cache

from vexobj_s3compat.call import Call
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._input import (
    decode_token,
    encode_token,
    identifier,
    invalid_argument,
    key_bytes,
    page_size,
    url_encoding,
)
from vexobj_s3compat.operations._output import (
    boolean,
    key_text,
    optional,
    owner_element,
    xml_response,
)
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target
from vexobj_s3compat.types import (
    ListObjectsInput,
    ListObjectsOutput,
    ListObjectVersionsInput,
    ListObjectVersionsOutput,
    ObjectEntry,
    Owner,
    VersionEntry,
)
from vexobj_s3compat.xml import element, escape_all, timestamp


def parse_list_objects(call: Call) -> ListObjectsInput:
    url_encoding(call)
    return ListObjectsInput(
        call.bucket,
        prefix=key_bytes(call, "prefix"),
        delimiter=key_bytes(call, "delimiter"),
        after=key_bytes(call, "marker"),
        max_keys=page_size(call, "max-keys"),
        fetch_owner=True,
    )


def parse_list_objects_v2(call: Call) -> ListObjectsInput:
    url_encoding(call)
    kind = call.parameters["list-type"]
    if kind != "2":
        raise invalid_argument("list-type", kind, "Invalid List Type specified in Request")
    token = call.parameters.get("continuation-token")
    if token == "":
        raise invalid_argument(
            "continuation-token", "", "The continuation token provided is incorrect"
        )
    return ListObjectsInput(
        call.bucket,
        prefix=key_bytes(call, "prefix"),
        delimiter=key_bytes(call, "delimiter"),
        after=(
            key_bytes(call, "start-after")
            if token is None
            else decode_token("continuation-token", token)
        ),
        max_keys=page_size(call, "max-keys"),
        fetch_owner=call.parameters.get("fetch-owner", "").lower() == "true",
    )


async def shape_list_objects(
    call: Call, wanted: ListObjectsInput, output: ListObjectsOutput
) -> Response:
    url = url_encoding(call)
    following = output.next_after if wanted.delimiter else None
    return xml_response(
        "ListBucketResult",
        element("Name", call.bucket),
        element("Prefix", key_text(wanted.prefix, url=url)),
        element("Marker", key_text(wanted.after, url=url)),
        "" if following is None else element("NextMarker", key_text(following, url=url)),
        f"<MaxKeys>{wanted.max_keys}</MaxKeys>",
        _delimiter(wanted.delimiter, url=url),
        boolean("IsTruncated", output.next_after is not None),
        _contents(output.objects, url=url),
        *(_common_prefix(prefix, url=url) for prefix in output.common_prefixes),
    )


async def shape_list_objects_v2(
    call: Call, wanted: ListObjectsInput, output: ListObjectsOutput
) -> Response:
    url = url_encoding(call)
    start_after = call.parameters.get("start-after")
    following = output.next_after
    count = len(output.objects) + len(output.common_prefixes)
    return xml_response(
        "ListBucketResult",
        element("Name", call.bucket),
        element("Prefix", key_text(wanted.prefix, url=url)),
        ""
        if start_after is None
        else element("StartAfter", key_text(start_after.encode(), url=url)),
        optional("ContinuationToken", call.parameters.get("continuation-token")),
        "" if following is None else element("NextContinuationToken", encode_token(following)),
        f"<KeyCount>{count}</KeyCount><MaxKeys>{wanted.max_keys}</MaxKeys>",
        _delimiter(wanted.delimiter, url=url),
        boolean("IsTruncated", following is not None),
        _contents(output.objects, url=url),
        *(_common_prefix(prefix, url=url) for prefix in output.common_prefixes),
    )


def parse_list_versions(call: Call) -> ListObjectVersionsInput:
    url_encoding(call)
    key_marker = key_bytes(call, "key-marker")
    marker = call.parameters.get("version-id-marker") or None
    if marker is not None and not key_marker:
        raise invalid_argument(
            "version-id-marker",
            marker,
            "A version-id marker cannot be specified without a key marker.",
        )
    return ListObjectVersionsInput(
        call.bucket,
        prefix=key_bytes(call, "prefix"),
        delimiter=key_bytes(call, "delimiter"),
        key_marker=key_marker,
        version_id_marker=marker and identifier(call, "version-id-marker"),
        max_keys=page_size(call, "max-keys"),
    )


async def shape_list_versions(
    call: Call, wanted: ListObjectVersionsInput, output: ListObjectVersionsOutput
) -> Response:
    url = url_encoding(call)
    following = output.next_key_marker
    return xml_response(
        "ListVersionsResult",
        element("Name", call.bucket),
        element("Prefix", key_text(wanted.prefix, url=url)),
        element("KeyMarker", key_text(wanted.key_marker, url=url)),
        element("VersionIdMarker", wanted.version_id_marker or ""),
        "" if following is None else element("NextKeyMarker", key_text(following, url=url)),
        optional("NextVersionIdMarker", output.next_version_id_marker),
        f"<MaxKeys>{wanted.max_keys}</MaxKeys>",
        _delimiter(wanted.delimiter, url=url),
        boolean("IsTruncated", following is not None),
        *(_version(entry, url=url) for entry in output.versions),
        *(_common_prefix(prefix, url=url) for prefix in output.common_prefixes),
    )


def _delimiter(delimiter: bytes, *, url: bool) -> str:
    shown = element("Delimiter", key_text(delimiter, url=url)) if delimiter else ""
    return shown + ("<EncodingType>url</EncodingType>" if url else "")


def _common_prefix(prefix: bytes, *, url: bool) -> str:
    return f"<CommonPrefixes>{element('Prefix', key_text(prefix, url=url))}</CommonPrefixes>"


@lru_cache(maxsize=256)
def _owner(owner: Owner) -> str:
    """A page has a thousand entries and hardly more than one owner."""
    return owner_element(owner)


def _contents(entries: Sequence[ObjectEntry], *, url: bool) -> str:
    if url:
        keys = [key_text(entry.key, url=True) for entry in entries]
    else:
        keys = escape_all([entry.key.decode() for entry in entries])
    return "".join(
        [
            f"<Contents><Key>{key}</Key><LastModified>{timestamp(entry.last_modified)}"
            f"</LastModified><ETag>&quot;{entry.etag}&quot;</ETag>"
            f"{'' if entry.checksum_algorithm is None else _checksum(entry)}"
            f"<Size>{entry.size}</Size>{'' if entry.owner is None else _owner(entry.owner)}"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key, entry in zip(keys, entries, strict=True)
        ]
    )


def _checksum(entry: ObjectEntry) -> str:
    kind = "COMPOSITE" if entry.checksum_composite else "FULL_OBJECT"
    return (
        f"<ChecksumAlgorithm>{entry.checksum_algorithm}</ChecksumAlgorithm>"
        f"<ChecksumType>{kind}</ChecksumType>"
    )


def _version(entry: VersionEntry, *, url: bool) -> str:
    head = (
        f"{element('Key', key_text(entry.key, url=url))}"
        f"{element('VersionId', entry.version_id)}{boolean('IsLatest', entry.is_latest)}"
        f"<LastModified>{timestamp(entry.last_modified)}</LastModified>"
    )
    owner = _owner(entry.owner)
    if entry.is_delete_marker:
        return f"<DeleteMarker>{head}{owner}</DeleteMarker>"
    return (
        f"<Version>{head}<ETag>&quot;{entry.etag}&quot;</ETag><Size>{entry.size}</Size>"
        f"<StorageClass>STANDARD</StorageClass>{owner}</Version>"
    )


_PAGE = frozenset({"prefix", "delimiter", "max-keys", "encoding-type"})

OPERATIONS = (
    Operation(
        name="ListObjects",
        method="GET",
        target=Target.BUCKET,
        parameters=_PAGE | {"marker"},
        parse=parse_list_objects,
        backend="list_objects",
        shape=shape_list_objects,
    ),
    Operation(
        name="ListObjectsV2",
        method="GET",
        target=Target.BUCKET,
        selector="list-type",
        parameters=_PAGE | {"continuation-token", "start-after", "fetch-owner"},
        parse=parse_list_objects_v2,
        backend="list_objects",
        shape=shape_list_objects_v2,
    ),
    Operation(
        name="ListObjectVersions",
        method="GET",
        target=Target.BUCKET,
        subresource="versions",
        parameters=_PAGE | {"key-marker", "version-id-marker"},
        parse=parse_list_versions,
        backend="list_object_versions",
        shape=shape_list_versions,
    ),
)
