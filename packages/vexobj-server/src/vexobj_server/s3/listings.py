"""S3 listings of objects and versions."""

from collections.abc import Iterable

from vexobj_auth import Action
from vexobj_s3compat import Request
from vexobj_s3compat.types import (
    ListObjectsInput,
    ListObjectsOutput,
    ListObjectVersionsInput,
    ListObjectVersionsOutput,
    ObjectEntry,
    Owner,
    VersionEntry,
)
from vexobj_server.s3.base import OperationGroup


class ListingOperations(OperationGroup):
    async def list_objects(self, request: Request[ListObjectsInput]) -> ListObjectsOutput:
        asked = request.input
        bucket = await self._allowed(request, Action.LIST_OBJECTS, asked.bucket)
        page = await self._store.list_objects(
            bucket,
            prefix=asked.prefix,
            delimiter=asked.delimiter,
            after=asked.after,
            limit=asked.max_keys,
        )
        owners = await self._owners(
            found.owner_id for found in (page.objects if asked.fetch_owner else ())
        )
        entries = [
            ObjectEntry(
                found.key, found.size, found.etag, found.modified_at, owners.get(found.owner_id)
            )
            for found in page.objects
        ]
        return ListObjectsOutput(entries, page.common_prefixes, page.next_after)

    async def list_object_versions(
        self, request: Request[ListObjectVersionsInput]
    ) -> ListObjectVersionsOutput:
        asked = request.input
        bucket = await self._allowed(request, Action.LIST_OBJECTS, asked.bucket)
        page = await self._store.list_versions(
            bucket,
            prefix=asked.prefix,
            delimiter=asked.delimiter,
            key_marker=asked.key_marker,
            version_id_marker=asked.version_id_marker,
            limit=asked.max_keys,
        )
        owners = await self._owners(found.owner_id for found in page.versions)
        return ListObjectVersionsOutput(
            [
                VersionEntry(
                    found.key,
                    found.version_id,
                    found.is_latest,
                    found.is_delete_marker,
                    found.modified_at,
                    owners[found.owner_id],
                    found.size,
                    found.etag,
                )
                for found in page.versions
            ],
            page.common_prefixes,
            page.next_key,
            page.next_version_id,
        )

    async def _owners(self, ids: Iterable[str]) -> dict[str, Owner]:
        return {owner_id: await self._owner(owner_id) for owner_id in set(ids)}
