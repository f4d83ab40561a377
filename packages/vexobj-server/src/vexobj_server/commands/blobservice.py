"""The doctor's look at the S3 service that keeps the blobs."""

import asyncio
from collections.abc import Iterator

from vexobj_server.bootstrap import store_config, unusable_service
from vexobj_server.commands.findings import Finding, Verdict
from vexobj_server.settings import Settings
from vexobj_storage import BlobServiceUnusable, check_service


def check_blob_service(settings: Settings) -> Iterator[Finding]:
    """Nothing where none is configured."""
    remote = store_config(settings).s3
    if remote is None:
        return
    try:
        advice = asyncio.run(check_service(remote))
    except BlobServiceUnusable as error:
        yield Finding(Verdict.FAILURE, str(unusable_service(error)))
        return
    yield Finding(Verdict.FINE, f"{remote.endpoint} keeps blobs in bucket {remote.bucket}.")
    for sentence in advice:
        yield Finding(Verdict.WARNING, f"{sentence}.")
