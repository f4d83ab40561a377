"""vexobjctl stats, usage, gc, health: the server as a whole."""

import typer

from vexobj_cli.output import human_size, show_json, show_table
from vexobj_cli.session import session
from vexobj_sdk import BucketStats


def register(app: typer.Typer) -> None:
    app.command()(stats)
    app.command()(usage)
    app.command()(gc)
    app.command()(health)


def stats(context: typer.Context) -> None:
    """Show what the server holds, by bucket."""
    with session(context).client() as client:
        found = client.stats()
    if session(context).json:
        show_json(found)
        return
    rows = [(b.name, b.objects, human_size(b.size)) for b in found.bucket_details]
    total = (f"{found.buckets} buckets", found.total_objects, human_size(found.total_size))
    show_table(("BUCKET", "OBJECTS", "SIZE"), [*rows, total])


def usage(context: typer.Context) -> None:
    """Explain what takes the room on the disk, and what of it will be free when."""
    with session(context).client() as client:
        found = client.usage()
    if session(context).json:
        show_json(found)
        return
    buckets = (
        (b.name, *map(human_size, (b.size, b.noncurrent_size, b.upload_size)))
        for b in sorted(found.buckets, key=_held, reverse=True)
    )
    show_table(("BUCKET", "LIVE", "NONCURRENT", "PARTS"), buckets)
    print()
    waiting = found.waiting_bytes + found.unused_bytes
    parts = (
        ("in use, in the blob store", found.stored_bytes),
        ("in use, in the metadata", found.inline_bytes),
        ("deleted, waiting to be removed", waiting),
        ("cached variants", found.cache_bytes),
        ("metadata on this disk", found.metadata_bytes),
        ("data directory, all of it", found.disk_usage),
        ("free on its disk", found.disk_free),
    )
    show_table(("ON DISK", "SIZE"), ((what, human_size(size)) for what, size in parts))
    if found.last_due_at is not None:
        until = found.last_due_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        print(f"\nwhat waits now is removed by the collections up to {until}")


def _held(bucket: BucketStats) -> int:
    return bucket.size + bucket.noncurrent_size + bucket.upload_size


def gc(context: typer.Context) -> None:
    """Free what nothing refers to any more and whose grace is over."""
    with session(context).client() as client:
        report = client.gc()
    if session(context).json:
        show_json(report)
    else:
        print(f"freed {human_size(report.bytes_freed)} in {report.orphans_removed} blobs")
        if report.due_at is not None:
            due = report.due_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
            waiting = f"{human_size(report.waiting_bytes)} in {report.waiting} blobs"
            print(f"{waiting} wait for their grace to end, the first at {due}")


def health(context: typer.Context) -> None:
    """Ask whether the server is well; exit code 1 if not."""
    with session(context).client() as client:
        found = client.health()
    if session(context).json:
        show_json(found)
    else:
        print(f"{found.service} {found.version}: {found.status}")
