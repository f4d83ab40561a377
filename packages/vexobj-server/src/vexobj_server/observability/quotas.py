"""Quotas that are reached: told to the log, and counted."""

import logging
from collections.abc import Iterable

from vexobj_server.observability import families
from vexobj_server.observability.page import MetricsPage
from vexobj_storage import QuotaReached

_log = logging.getLogger(__name__)


def tell_quotas(page: MetricsPage, reached: Iterable[QuotaReached]) -> None:
    for notice in reached:
        used, quota = notice.usage, notice.quota
        _log.warning(
            "bucket %s has reached %d %% of its quota: %d of %s bytes, %d of %s objects",
            notice.bucket,
            notice.percent,
            used.all_bytes,
            "any" if quota.max_bytes is None else quota.max_bytes,
            used.all_objects,
            "any" if quota.max_objects is None else quota.max_objects,
        )
        page.count(families.QUOTAS_REACHED, {"percent": str(notice.percent)}).inc()
