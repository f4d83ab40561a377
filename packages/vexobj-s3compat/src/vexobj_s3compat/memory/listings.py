"""Pages of objects and of versions."""

from vexobj_s3compat import types as t
from vexobj_s3compat.listing import fold
from vexobj_s3compat.memory.base import OperationGroup
from vexobj_s3compat.memory.model import first_after


class ListingOperations(OperationGroup):
    async def list_objects(self, request: t.Request[t.ListObjectsInput]) -> t.ListObjectsOutput:
        wanted, bucket = request.input, self._bucket(request, public=True)
        live = (
            (key, versions[0])
            for key, versions in sorted(bucket.objects.items())
            if key > wanted.after and not versions[0].delete_marker
        )
        page = fold(live, wanted.prefix, wanted.delimiter, wanted.after, wanted.max_keys)
        return t.ListObjectsOutput(
            [
                t.ObjectEntry(
                    key,
                    version.content.size,
                    version.etag,
                    version.last_modified,
                    version.owner if wanted.fetch_owner else None,
                )
                for key, version in page.rows
            ],
            page.common_prefixes,
            page.last,
        )

    async def list_object_versions(
        self, request: t.Request[t.ListObjectVersionsInput]
    ) -> t.ListObjectVersionsOutput:
        wanted, bucket = request.input, self._bucket(request, public=True)
        rows = [
            (key, (version, number == 0))
            for key, versions in sorted(bucket.objects.items())
            for number, version in enumerate(versions)
            if key >= wanted.key_marker
        ]
        ids = [version.version_id for _, (version, _) in rows]
        begin = first_after(
            [key for key, _ in rows], ids, wanted.key_marker, wanted.version_id_marker
        )
        page = fold(
            rows[begin:], wanted.prefix, wanted.delimiter, wanted.key_marker, wanted.max_keys
        )
        last_row = page.rows[-1] if page.rows and page.rows[-1][0] == page.last else None
        return t.ListObjectVersionsOutput(
            [
                t.VersionEntry(
                    key,
                    version.version_id,
                    is_latest,
                    version.delete_marker,
                    version.last_modified,
                    version.owner,
                    version.content.size,
                    version.etag,
                )
                for key, (version, is_latest) in page.rows
            ],
            page.common_prefixes,
            page.last,
            last_row[1][0].version_id if last_row else None,
        )
