"""S3 multipart uploads: parts arrive or are copied, a completion moves no bytes."""

import contextlib

from vexobj_auth import Action
from vexobj_s3compat import Request
from vexobj_s3compat.errors import InvalidArgument, InvalidRequest
from vexobj_s3compat.types import (
    CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput,
    CreateMultipartUploadInput,
    CreateMultipartUploadOutput,
    ListMultipartUploadsInput,
    ListMultipartUploadsOutput,
    ListPartsInput,
    ListPartsOutput,
    PartEntry,
    UploadEntry,
    UploadInput,
    UploadPartCopyInput,
    UploadPartCopyOutput,
    UploadPartInput,
    UploadPartOutput,
)
from vexobj_server.s3.base import OperationGroup
from vexobj_server.s3.completion import checksum_of_parts
from vexobj_server.s3.convert import (
    attributes_of,
    checksum_of,
    checksum_value,
    condition_of,
    visible_version,
)
from vexobj_server.s3.sources import readable_source
from vexobj_server.services.staging import stage_body
from vexobj_storage import CompletedPart, NoSuchUpload, SizeMismatch


class MultipartOperations(OperationGroup):
    async def create_multipart_upload(
        self, request: Request[CreateMultipartUploadInput]
    ) -> CreateMultipartUploadOutput:
        asked = request.input
        bucket = await self._allowed(request, Action.WRITE_OBJECT, asked.bucket)
        attributes = attributes_of(
            asked.object, self._owner_of_new(request, bucket), acl=asked.acl, tags=asked.tags
        )
        upload = await self._store.create_upload(
            bucket,
            asked.key,
            attributes,
            checksum_algorithm=asked.checksum_algorithm,
            checksum_composite=asked.checksum_composite,
            lock=self._lock_of_new(bucket, asked.lock),
        )
        return CreateMultipartUploadOutput(upload.upload_id, self.encrypts)

    async def upload_part(self, request: Request[UploadPartInput]) -> UploadPartOutput:
        asked = request.input
        bucket = await self._allowed(request, Action.WRITE_OBJECT, asked.bucket)
        upload = await self._store.upload(bucket, asked.key, asked.upload_id)
        if bucket.quota is not None:
            await self._store.admit_part(bucket, upload, asked.part_number, asked.body.size or 0)
        staged = await stage_body(self._store, asked.body, self._inline_max_bytes)
        request.scope["state"]["stored_bytes"] = staged.size
        part = await self._store.put_part(
            upload, asked.part_number, staged, checksum_of(asked.body.checksum())
        )
        return UploadPartOutput(part.etag, checksum_value(part.checksum), self.encrypts)

    async def upload_part_copy(self, request: Request[UploadPartCopyInput]) -> UploadPartCopyOutput:
        asked = request.input
        bucket = await self._allowed(request, Action.WRITE_OBJECT, asked.bucket)
        upload = await self._store.upload(bucket, asked.key, asked.upload_id)
        source_bucket, source = await readable_source(
            self._store, self._access, self._principal(request), asked.source
        )
        size = source.version.size
        first, last = asked.source_range or (0, size - 1)
        if asked.source_range is not None and last >= size:
            raise InvalidArgument(f"The range is not valid for the source of {size} bytes.")
        part = await self._store.copy_part(
            upload, asked.part_number, source, first, last - first + 1
        )
        return UploadPartCopyOutput(
            part.etag, part.modified_at, visible_version(source_bucket, source.version)
        )

    async def complete_multipart_upload(
        self, request: Request[CompleteMultipartUploadInput]
    ) -> CompleteMultipartUploadOutput:
        asked = request.input
        bucket = await self._allowed(request, Action.WRITE_OBJECT, asked.bucket)
        checksum = None
        with contextlib.suppress(NoSuchUpload):  # it may be completed already
            upload = await self._store.upload(bucket, asked.key, asked.upload_id)
            checksum = await checksum_of_parts(self._store, upload, asked.parts, asked.checksum)
        try:
            version = await self._store.complete_upload(
                bucket,
                asked.key,
                asked.upload_id,
                [CompletedPart(part.part_number, part.etag, part.checksum) for part in asked.parts],
                condition_of(asked.conditions),
                checksum=checksum,
                size=asked.object_size,
            )
        except SizeMismatch:
            raise InvalidRequest(
                "The parts do not add up to the size given in x-amz-mp-object-size."
            ) from None
        return CompleteMultipartUploadOutput(
            version.etag,
            visible_version(bucket, version),
            checksum_value(version.attributes.checksum),
            self._expirations.of(bucket, version),
            await self._is_encrypted(version),
        )

    async def abort_multipart_upload(self, request: Request[UploadInput]) -> None:
        asked = request.input
        bucket = await self._allowed(request, Action.WRITE_OBJECT, asked.bucket)
        await self._store.abort_upload(bucket, asked.key, asked.upload_id)

    async def list_parts(self, request: Request[ListPartsInput]) -> ListPartsOutput:
        asked = request.input
        bucket = await self._allowed(request, Action.READ_BUCKET, asked.bucket)
        upload = await self._store.upload(bucket, asked.key, asked.upload_id)
        page = await self._store.list_parts(
            upload, after=asked.part_number_marker, limit=asked.max_parts
        )
        return ListPartsOutput(
            await self._owner(upload.attributes.owner_id),
            [
                PartEntry(
                    part.number,
                    part.size,
                    part.etag,
                    part.modified_at,
                    checksum_value(part.checksum),
                )
                for part in page.parts
            ],
            page.next_number,
            upload.checksum_algorithm,
            upload.checksum_composite,
        )

    async def list_multipart_uploads(
        self, request: Request[ListMultipartUploadsInput]
    ) -> ListMultipartUploadsOutput:
        asked = request.input
        bucket = await self._allowed(request, Action.READ_BUCKET, asked.bucket)
        page = await self._store.list_uploads(
            bucket,
            prefix=asked.prefix,
            delimiter=asked.delimiter,
            key_marker=asked.key_marker,
            upload_id_marker=asked.upload_id_marker,
            limit=asked.max_uploads,
        )
        return ListMultipartUploadsOutput(
            [
                UploadEntry(
                    upload.key,
                    upload.upload_id,
                    upload.created_at,
                    await self._owner(upload.attributes.owner_id),
                )
                for upload in page.uploads
            ],
            page.common_prefixes,
            page.next_key,
            page.next_upload_id,
        )
