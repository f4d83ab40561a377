"""Do the rows of a whole store agree with each other, and with its blobs? Reads every table."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select

from vexobj_storage.metadata.layout import Layout
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.ops.ledger import BLOB, MANIFEST, UNUSED_MANIFEST, UPLOAD
from vexobj_storage.metadata.ops.multipart import OPEN, referrer
from vexobj_storage.metadata.ops.references import CONDEMNED, LIVE, QUARANTINED
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.store import ObjectStore
from vexobj_storage.types import Location, Versioning

Record = Mapping[str, Any]
Tables = dict[str, list[Record]]

_TABLES = (
    sql.BUCKETS, sql.OBJECTS, sql.VERSIONS, sql.KEY_HEADS, sql.BLOBS, sql.BLOB_REFS, sql.MANIFESTS,
    sql.MANIFEST_REFS, sql.UPLOADS, sql.PARTS, sql.GC_QUEUE, sql.USAGE, sql.USAGE_DELTAS,
)  # fmt: skip
_ALL: dict[str, Statement] = {table.name: sql.query(select(table)) for table in _TABLES}
_INLINE = sql.query(select(sql.INLINE_BLOBS.c.blob_id))
_COUNTS = ("objects", "bytes", "noncurrent_objects", "noncurrent_bytes", "upload_bytes")


@dataclass(eq=False)
class Violations(AssertionError):
    """What does not agree, a sentence each."""

    found: list[str]

    def __str__(self) -> str:
        return "\n".join(self.found)


async def invariants(store: ObjectStore) -> set[bytes]:
    """Check everything; returns the ids of blobs in the blob store that have no row.

    Those are staged content, or orphans for the sweep. Meant for a store at rest.

    Raises: Violations.
    """
    tables, inline = await store._metadata.scan(_load)  # noqa: SLF001 - it looks behind the facade
    files = {stat.blob_id: stat.size async for stat in store._blobs.iterate()}  # noqa: SLF001
    found = [
        *_histories(tables),
        *_references(tables),
        *_parts(tables),
        *_garbage(tables),
        *_blobs(tables, inline, files),
        *_usage(tables),
    ]
    if found:
        raise Violations(found)
    return files.keys() - {blob["blob_id"] for blob in tables["blobs"]}


async def _load(tx: Tx) -> tuple[Tables, set[bytes]]:
    tables = {table.name: await _records(tx, table) for table in _TABLES}
    return tables, {row[0] for row in await tx.all(_INLINE)}


async def _records(tx: Tx, table: Table) -> list[Record]:
    names = [column.name for column in table.c]
    return [dict(zip(names, row, strict=True)) for row in await tx.all(_ALL[table.name])]


def _histories(tables: Tables) -> Iterator[str]:
    """Of one key the highest sequence is the latest, and is in `objects` unless a marker."""
    versioning = {bucket["id"]: bucket["versioning"] for bucket in tables["buckets"]}
    heads = {(h["bucket_id"], h["key"]): h["sequence"] for h in tables["key_heads"]}
    live = {(o["bucket_id"], o["key"]): o for o in tables["objects"]}
    history = defaultdict(list)
    for version in tables["versions"]:
        history[version["bucket_id"], version["key"]].append(version)
    for key, versions in history.items():
        newest = min(versions, key=lambda v: v["descending"])
        sequence = sql.LAST - newest["descending"]
        if versioning.get(key[0]) == Versioning.OFF:
            yield f"{key} has versions in a bucket without versioning"
        if key in live and live[key]["sequence"] <= sequence:
            yield f"{key} has a version above its current one"
        if key not in live and not newest["is_delete_marker"]:
            yield f"{key} has no current version although its newest is no marker"
        if heads.get(key, -1) < max(sequence, live[key]["sequence"] if key in live else 0):
            yield f"{key} has a head below its history"
        nulls = sum(v["is_null"] for v in versions) + (key in live and live[key]["is_null"])
        if nulls > 1:
            yield f"{key} has {nulls} null versions"
    for bucket_id, key in [*live, *history]:
        if bucket_id not in versioning:
            yield f"{key!r} is in bucket {bucket_id}, which is not there"
    uids = Counter(v["uid"] for v in tables["objects"] + tables["versions"])
    yield from (f"uid {uid.hex()} is used {n} times" for uid, n in uids.items() if n > 1)


def _references(tables: Tables) -> Iterator[str]:
    """Reference rows are exactly what versions and parts refer to, and none is condemned."""
    blobs = {blob["blob_id"]: blob for blob in tables["blobs"]}
    manifests = {m["manifest_id"]: m for m in tables["manifests"]}
    blob_refs = {(r["blob_id"], r["referrer"]) for r in tables["blob_refs"]}
    manifest_refs = {(r["manifest_id"], r["referrer"]) for r in tables["manifest_refs"]}
    blobs_due, manifests_due = set(), set()
    for version in tables["objects"] + tables["versions"]:
        uid, blob_id, manifest_id = version["uid"], version["blob_id"], version["manifest_id"]
        marker = version.get("is_delete_marker", 0)
        if (blob_id is None) + (manifest_id is None) != 1 + marker:
            yield f"version {uid.hex()} has not exactly the content it should have"
        if blob_id is not None:
            blobs_due.add((blob_id, uid))
            if blob_id not in blobs or blobs[blob_id]["size"] != version["size"]:
                yield f"version {uid.hex()} has no blob of its size"
        if manifest_id is not None:
            manifests_due.add((manifest_id, uid))
            if manifest_id not in manifests or manifests[manifest_id]["size"] != version["size"]:
                yield f"version {uid.hex()} has no manifest of its size"
    for part in tables["parts"]:
        name = referrer(part["upload_id"].hex(), part["part_number"])
        blobs_due.update((segment.blob_id, name) for segment in Layout(part["segments"]))
    for blob_id, name in blobs_due:
        if blob_id not in blobs or blobs[blob_id]["state"] == CONDEMNED:
            yield f"{name.hex()} refers to blob {blob_id.hex()}, which is gone"
    for kind, rows, due in (
        ("blob", blob_refs, blobs_due),
        ("manifest", manifest_refs, manifests_due),
    ):
        for target, name in rows ^ due:
            what = "superfluous" if (target, name) in rows else "missing"
            yield f"the reference of {name.hex()} to {kind} {target.hex()} is {what}"


def _parts(tables: Tables) -> Iterator[str]:
    """Manifests name parts that are there and have the bytes that they should."""
    parts = {(p["upload_id"], p["part_number"]): p for p in tables["parts"]}
    for part in parts.values():
        if Layout(part["segments"]).size != part["size"]:
            yield f"part {part['part_number']} of {part['upload_id'].hex()} has a wrong size"
    for manifest in tables["manifests"]:
        manifest_id, layout = manifest["manifest_id"], Layout(manifest["layout"])
        if layout.size != manifest["size"]:
            yield f"manifest {manifest_id.hex()} has a wrong size"
        for number in layout.part_numbers:
            named, span = parts.get((manifest_id, number)), layout.part(number)
            if named is None or span is None or named["size"] != span[1]:
                yield f"manifest {manifest_id.hex()} misses its part {number}"


def _garbage(tables: Tables) -> Iterator[str]:
    """What nothing refers to is queued for collection."""
    queued = {(entry["kind"], entry["id"]) for entry in tables["gc_queue"]}
    blobs_used = {ref["blob_id"] for ref in tables["blob_refs"]}
    manifests_used = {ref["manifest_id"] for ref in tables["manifest_refs"]}
    manifests = {m["manifest_id"] for m in tables["manifests"]}
    opened = {u["upload_id"] for u in tables["uploads"] if u["state"] == OPEN}
    for blob in tables["blobs"]:
        blob_id = blob["blob_id"]
        if blob_id not in blobs_used and (BLOB, blob_id) not in queued:
            yield f"blob {blob_id.hex()} is garbage that nobody will collect"
    for manifest_id in manifests - manifests_used:
        if not {(MANIFEST, manifest_id), (UNUSED_MANIFEST, manifest_id)} & queued:
            yield f"manifest {manifest_id.hex()} is garbage that nobody will collect"
    for upload_id in {part["upload_id"] for part in tables["parts"]}:
        if upload_id not in manifests | opened and (UPLOAD, upload_id) not in queued:
            yield f"upload {upload_id.hex()} is garbage that nobody will collect"


def _blobs(tables: Tables, inline: set[bytes], files: Mapping[bytes, int]) -> Iterator[str]:
    """Each blob's bytes are where its row says; those of condemned ones may be gone."""
    placed = {blob["blob_id"]: blob for blob in tables["blobs"]}
    for blob_id, blob in placed.items():
        if blob["location"] == Location.INLINE:
            if blob_id not in inline and blob["state"] != QUARANTINED:
                yield f"inline blob {blob_id.hex()} has no bytes"
        elif blob["state"] == LIVE and files.get(blob_id) != blob["stored_size"]:
            yield f"blob {blob_id.hex()} has {files.get(blob_id)} bytes"
    for blob_id in inline - placed.keys():
        yield f"inline bytes {blob_id.hex()} have no blob"


def _usage(tables: Tables) -> Iterator[str]:
    """Usage rows and deltas add up to what the buckets hold."""
    told: Counter[tuple[int, str]] = Counter()
    for row in tables["usage"] + tables["usage_deltas"]:
        told.update({(row["bucket_id"], name): row[name] for name in _COUNTS})
    held: Counter[tuple[int, str]] = Counter()
    for version in tables["objects"]:
        bucket_id = version["bucket_id"]
        held.update({(bucket_id, "objects"): 1, (bucket_id, "bytes"): version["size"]})
    for version in tables["versions"]:
        if not version["is_delete_marker"]:
            bucket_id, size = version["bucket_id"], version["size"]
            held.update({(bucket_id, _COUNTS[2]): 1, (bucket_id, _COUNTS[3]): size})
    opened = {u["upload_id"]: u["bucket_id"] for u in tables["uploads"] if u["state"] == OPEN}
    for part in tables["parts"]:
        if part["upload_id"] in opened:
            held[opened[part["upload_id"]], "upload_bytes"] += part["size"]
    for key in told.keys() | held.keys():
        if told[key] != held[key]:
            yield f"usage of bucket {key[0]}: {key[1]} is told as {told[key]}, but is {held[key]}"
