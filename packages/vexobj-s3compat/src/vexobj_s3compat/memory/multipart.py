"""Multipart uploads."""

import hashlib
import secrets
from collections.abc import Sequence

from vexobj_s3compat import errors
from vexobj_s3compat import types as t
from vexobj_s3compat.listing import fold
from vexobj_s3compat.memory.base import OperationGroup
from vexobj_s3compat.memory.locks import locked_from_the_start
from vexobj_s3compat.memory.model import (
    Part,
    PartedContent,
    Upload,
    add_version,
    check_conditions,
    find_upload,
    first_after,
    multipart_etag,
    owner_of,
    received,
    shown_id,
)


class MultipartOperations(OperationGroup):
    async def create_multipart_upload(
        self, request: t.Request[t.CreateMultipartUploadInput]
    ) -> t.CreateMultipartUploadOutput:
        bucket = self._bucket(request)
        locked_from_the_start(bucket, request.input.lock, self._clock())
        upload_id = secrets.token_urlsafe(24)
        bucket.uploads[upload_id] = Upload(request.input, owner_of(request.caller), self._clock())
        return t.CreateMultipartUploadOutput(upload_id, self.encrypts)

    async def upload_part(self, request: t.Request[t.UploadPartInput]) -> t.UploadPartOutput:
        wanted, bucket = request.input, self._bucket(request)
        find_upload(bucket, wanted.key, wanted.upload_id)
        data, etag, checksum = await received(wanted.body)
        upload = find_upload(bucket, wanted.key, wanted.upload_id)
        upload.parts[wanted.part_number] = Part(data, etag, self._clock(), checksum)
        return t.UploadPartOutput(etag, checksum, self.encrypts)

    async def upload_part_copy(
        self, request: t.Request[t.UploadPartCopyInput]
    ) -> t.UploadPartCopyOutput:
        wanted, bucket = request.input, self._bucket(request)
        upload = find_upload(bucket, wanted.key, wanted.upload_id)
        source_bucket, source = self._source(request, wanted.source)
        first, last = wanted.source_range or (0, source.content.size - 1)
        if last >= source.content.size:
            raise errors.InvalidRange
        data = source.content.data[first : last + 1]
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        part = Part(data, etag, self._clock(), None)
        upload.parts[wanted.part_number] = part
        return t.UploadPartCopyOutput(etag, part.last_modified, shown_id(source_bucket, source))

    async def complete_multipart_upload(
        self, request: t.Request[t.CompleteMultipartUploadInput]
    ) -> t.CompleteMultipartUploadOutput:
        wanted, bucket = request.input, self._bucket(request)
        done = bucket.completed.get(wanted.upload_id)
        if done is not None and done.etag == multipart_etag([p.etag for p in wanted.parts]):
            return done
        upload = find_upload(bucket, wanted.key, wanted.upload_id)
        parts = self._chosen(upload, wanted.parts)
        if wanted.object_size not in (None, sum(len(part.data) for part in parts)):
            raise errors.InvalidRequest(
                "The parts do not add up to the size given in x-amz-mp-object-size."
            )
        check_conditions(bucket, wanted.key, wanted.conditions)
        content = PartedContent(
            b"".join(part.data for part in parts), tuple(len(part.data) for part in parts)
        )
        version = self._new_version(
            bucket,
            etag=multipart_etag([part.etag for part in parts]),
            content=content,
            headers=upload.input.object,
            acl=upload.input.acl or "private",
            tags=upload.input.tags,
            checksum=wanted.checksum,
            lock=locked_from_the_start(bucket, upload.input.lock, self._clock()),
        )
        add_version(bucket, wanted.key, version)
        del bucket.uploads[wanted.upload_id]
        output = t.CompleteMultipartUploadOutput(
            version.etag,
            shown_id(bucket, version),
            version.checksum,
            encrypted=self.encrypts,
        )
        bucket.completed[wanted.upload_id] = output
        return output

    async def abort_multipart_upload(self, request: t.Request[t.UploadInput]) -> None:
        bucket = self._bucket(request)
        find_upload(bucket, request.input.key, request.input.upload_id)
        del bucket.uploads[request.input.upload_id]

    async def list_parts(self, request: t.Request[t.ListPartsInput]) -> t.ListPartsOutput:
        wanted, bucket = request.input, self._bucket(request)
        upload = find_upload(bucket, wanted.key, wanted.upload_id)
        numbers = sorted(n for n in upload.parts if n > wanted.part_number_marker)
        told = numbers[: wanted.max_parts]
        return t.ListPartsOutput(
            upload.owner,
            [
                t.PartEntry(
                    n,
                    len(upload.parts[n].data),
                    upload.parts[n].etag,
                    upload.parts[n].last_modified,
                    upload.parts[n].checksum,
                )
                for n in told
            ],
            told[-1] if told and len(numbers) > len(told) else None,
            upload.input.checksum_algorithm,
            upload.input.checksum_composite,
        )

    async def list_multipart_uploads(
        self, request: t.Request[t.ListMultipartUploadsInput]
    ) -> t.ListMultipartUploadsOutput:
        wanted, bucket = request.input, self._bucket(request)
        rows = sorted(
            (upload.input.key, (upload_id, upload))
            for upload_id, upload in bucket.uploads.items()
            if upload.input.key >= wanted.key_marker
        )
        begin = first_after(
            [key for key, _ in rows],
            [upload_id for _, (upload_id, _) in rows],
            wanted.key_marker,
            wanted.upload_id_marker,
        )
        page = fold(
            rows[begin:], wanted.prefix, wanted.delimiter, wanted.key_marker, wanted.max_uploads
        )
        last_row = page.rows[-1] if page.rows and page.rows[-1][0] == page.last else None
        return t.ListMultipartUploadsOutput(
            [
                t.UploadEntry(key, upload_id, upload.initiated_at, upload.owner)
                for key, (upload_id, upload) in page.rows
            ],
            page.common_prefixes,
            page.last,
            last_row[1][0] if last_row else None,
        )

    def _chosen(self, upload: Upload, wanted: Sequence[t.CompletedPart]) -> list[Part]:
        numbers = [part.part_number for part in wanted]
        if numbers != sorted(set(numbers)):
            raise errors.InvalidPartOrder
        parts = []
        for named in wanted:
            part = upload.parts.get(named.part_number)
            if part is None or part.etag != named.etag:
                raise errors.InvalidPart(fields={"PartNumber": str(named.part_number)})
            parts.append(part)
        if any(len(part.data) < self._part_minimum_bytes for part in parts[:-1]):
            raise errors.EntityTooSmall
        return parts
