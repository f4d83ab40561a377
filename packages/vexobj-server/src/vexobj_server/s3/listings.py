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
from vexobj_storage import ListedObject


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
        owners = await self._owners(page.objects) if asked.fetch_owner else {}
        entries = [_entry(version, owners) for version in page.objects]
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
        owners = await self._owners(page.versions)
        return ListObjectVersionsOutput(
            [
                VersionEntry(
                    key=version.key,
                    version_id=version.version_id,
                    is_latest=version.is_latest,
                    is_delete_marker=version.is_delete_marker,
                    last_modified=version.modified_at,
                    owner=owners[version.owner_id],
                    size=version.size,
                    etag=version.etag,
                )
                for version in page.versions
            ],
            page.common_prefixes,
            page.next_key,
            page.next_version_id,
        )

    async def _owners(self, versions: Iterable[ListedObject]) -> dict[str, Owner]:
        ids = {version.owner_id for version in versions}
        return {owner_id: await self._owner(owner_id) for owner_id in ids}


def _entry(version: ListedObject, owners: dict[str, Owner]) -> ObjectEntry:
    return ObjectEntry(
        key=version.key,
        size=version.size,
        etag=version.etag,
        last_modified=version.modified_at,
        owner=owners.get(version.owner_id),
    )
