"""ListObjects, ListObjectsV2 and ListObjectVersions."""

from collections.abc import Sequence

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
    common_prefix_elements,
    delimiter_element,
    key_elements,
    key_text,
    marker_elements,
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
        delimiter_element(wanted.delimiter, url=url),
        boolean("IsTruncated", output.next_after is not None),
        *_contents(output.objects, url=url),
        *common_prefix_elements(output.common_prefixes, url=url),
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
        delimiter_element(wanted.delimiter, url=url),
        boolean("IsTruncated", following is not None),
        *_contents(output.objects, url=url),
        *common_prefix_elements(output.common_prefixes, url=url),
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
    return xml_response(
        "ListVersionsResult",
        element("Name", call.bucket),
        element("Prefix", key_text(wanted.prefix, url=url)),
        marker_elements(
            "VersionId",
            (wanted.key_marker, wanted.version_id_marker),
            (output.next_key_marker, output.next_version_id_marker),
            url=url,
        ),
        f"<MaxKeys>{wanted.max_keys}</MaxKeys>",
        delimiter_element(wanted.delimiter, url=url),
        boolean("IsTruncated", output.next_key_marker is not None),
        *_versions(output.versions, url=url),
        *common_prefix_elements(output.common_prefixes, url=url),
    )


def _contents(entries: Sequence[ObjectEntry], *, url: bool) -> list[str]:
    rendered = []
    owner, owned = None, ""
    for key, entry in zip(_keys(entries, url=url), entries, strict=True):
        if entry.owner is not owner:
            owner = entry.owner
            owned = "" if owner is None else owner_element(owner)
        rendered.append(
            f"<Contents><Key>{key}</Key><LastModified>{timestamp(entry.last_modified)}"
            f"</LastModified><ETag>&quot;{entry.etag}&quot;</ETag>"
            f"{'' if entry.checksum_algorithm is None else _checksum(entry)}"
            f"<Size>{entry.size}</Size>{owned}<StorageClass>STANDARD</StorageClass></Contents>"
        )
    return rendered


def _checksum(entry: ObjectEntry) -> str:
    kind = "COMPOSITE" if entry.checksum_composite else "FULL_OBJECT"
    return (
        f"<ChecksumAlgorithm>{entry.checksum_algorithm}</ChecksumAlgorithm>"
        f"<ChecksumType>{kind}</ChecksumType>"
    )


def _versions(entries: Sequence[VersionEntry], *, url: bool) -> list[str]:
    ids = escape_all([entry.version_id for entry in entries])
    rendered = []
    owner, owned = None, ""
    for key, version_id, entry in zip(_keys(entries, url=url), ids, entries, strict=True):
        if entry.owner is not owner:
            owner = entry.owner
            owned = owner_element(owner)
        head = (
            f"<Key>{key}</Key><VersionId>{version_id}</VersionId>"
            f"<IsLatest>{'true' if entry.is_latest else 'false'}</IsLatest>"
            f"<LastModified>{timestamp(entry.last_modified)}</LastModified>"
        )
        rendered.append(
            f"<DeleteMarker>{head}{owned}</DeleteMarker>"
            if entry.is_delete_marker
            else f"<Version>{head}<ETag>&quot;{entry.etag}&quot;</ETag><Size>{entry.size}</Size>"
            f"<StorageClass>STANDARD</StorageClass>{owned}</Version>"
        )
    return rendered


def _keys(entries: Sequence[ObjectEntry] | Sequence[VersionEntry], *, url: bool) -> list[str]:
    return key_elements([entry.key for entry in entries], url=url)


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
