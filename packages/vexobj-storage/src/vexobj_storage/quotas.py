"""The store's quotas: how much each bucket may hold, and who comes near it."""

from vexobj_storage.core import Core
from vexobj_storage.metadata.ops import quotas, usage
from vexobj_storage.metadata.ops.multipart import parse_upload_id
from vexobj_storage.types import Bucket, Quota, QuotaReached, Upload


class Quotas(Core):
    async def set_quota(self, name: str, quota: Quota | None) -> Bucket:
        """Hold a bucket to this from its next write on; None goes back to the default.

        A bucket that holds more already keeps it, and takes nothing that makes it grow.

        Raises: NoSuchBucket.
        """
        bucket = await self._metadata.write(quotas.set_quota, name, quota)
        while await self._metadata.write(usage.fold, bucket.id):
            pass
        return bucket

    async def set_default_quota(self, quota: Quota | None) -> bool:
        """Hold every bucket without a quota of its own to this; whether it is another now."""
        return await self._metadata.write(quotas.set_default_quota, quota)

    async def admit(self, bucket: Bucket, key: bytes, size: int) -> None:
        """Refuse what the bucket has no room for before its bytes are taken in.

        What is admitted may still be refused by the write itself, which alone is exact.

        Raises: QuotaExceeded.
        """
        if bucket.quota is not None:
            await self._metadata.scan(quotas.admit, quotas.Newcomer(bucket, size, key))

    async def admit_part(self, bucket: Bucket, upload: Upload, number: int, size: int) -> None:
        """As `admit`. Raises: QuotaExceeded."""
        if bucket.quota is not None:
            upload_id = parse_upload_id(upload.upload_id)
            part = quotas.Newcomer(bucket, size, upload_id=upload_id, part_number=number)
            await self._metadata.scan(quotas.admit, part)

    async def notice_quotas(self) -> list[QuotaReached]:
        """The buckets that reached 80 or 95 percent of their quota since the last call.

        Each is told once, whoever calls, until it has fallen below and reached it again.
        """
        reached = []
        for found, told in await self._metadata.scan(quotas.thresholds):
            if found.percent == told:
                continue
            first = await self._metadata.write(quotas.tell, found, told, self._now_us())
            if first and found.percent > told:
                reached.append(found)
        return reached
