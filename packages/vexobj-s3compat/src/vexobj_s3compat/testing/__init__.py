"""An importable conformance suite: run it against any S3 endpoint, ours or another's.

Needs httpx (the extra `testing`).
"""

from vexobj_s3compat.testing import buckets, lifecycle, locks, objects, uploads
from vexobj_s3compat.testing.client import Answer, S3TestClient
from vexobj_s3compat.testing.suite import Conformance, Scenario

SCENARIOS: tuple[Scenario, ...] = (
    *objects.SCENARIOS,
    *buckets.SCENARIOS,
    *uploads.SCENARIOS,
    *locks.SCENARIOS,
    *lifecycle.SCENARIOS,
)

__all__ = ["SCENARIOS", "Answer", "Conformance", "S3TestClient", "Scenario"]
