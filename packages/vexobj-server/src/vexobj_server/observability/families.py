"""The metric families that the server has: name, kind, meaning; nothing is counted here."""

from dataclasses import dataclass
from enum import Enum

MICROSECONDS = 1_000_000


class FamilyKind(Enum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family:
    """Counts are kept as integers of `1/scale`. `buckets` are upper bounds, of a histogram."""

    name: str
    kind: FamilyKind
    meaning: str
    scale: int = 1
    buckets: tuple[float, ...] = ()


def _counter(name: str, meaning: str) -> Family:
    return Family(name, FamilyKind.COUNTER, meaning)


def _gauge(name: str, meaning: str) -> Family:
    return Family(name, FamilyKind.GAUGE, meaning)


def _seconds(name: str, meaning: str, *buckets: float) -> Family:
    return Family(name, FamilyKind.HISTOGRAM, meaning, MICROSECONDS, buckets)


REQUESTS = _counter("vexobj_requests_total", "Requests answered, on all APIs.")
REQUESTS_BY_METHOD = _counter("vexobj_requests_by_method_total", "Requests by HTTP method.")
REQUESTS_BY_STATUS = _counter("vexobj_requests_by_status_total", "Requests by class of status.")
REQUEST_DURATION = _seconds(
    "vexobj_request_duration_seconds",
    "Time from a request's head to its answer's head.",
    0.001,
    0.01,
    0.05,
    0.1,
    0.5,
    1,
    5,
)
REQUESTS_IN_PROGRESS = _gauge("vexobj_requests_in_progress", "Requests under way.")
OBJECTS_UPLOADED = _counter("vexobj_objects_uploaded_total", "Objects written, on both APIs.")
OBJECTS_DOWNLOADED = _counter("vexobj_objects_downloaded_total", "Objects read, on both APIs.")
BYTES_UPLOADED = _counter("vexobj_bytes_uploaded_total", "Bytes of content received.")
BYTES_DOWNLOADED = _counter("vexobj_bytes_downloaded_total", "Bytes of content sent.")
S3_OPERATIONS = _counter("vexobj_s3_operations_total", "S3 operations by class of status.")
CACHE_REQUESTS = _counter("vexobj_cache_requests_total", "Look-ups of variants by outcome.")
CACHE_BYTES = _gauge("vexobj_cache_bytes", "Bytes held by the variant cache, by tier.")
CACHE_ENTRIES = _gauge("vexobj_cache_entries", "Variants held by the cache, by tier.")
VARIANTS_COMPUTED = _counter("vexobj_variants_computed_total", "Variants really computed.")
VARIANTS_JOINED = _counter(
    "vexobj_variants_joined_total", "Questions that were answered by another one's computation."
)
VARIANTS_FAILED = _counter("vexobj_variants_failed_total", "Variants not made, by reason.")
MEDIA_QUEUE = _gauge("vexobj_media_queue_length", "Transformations waiting for a decoder.")
MEDIA_RUNNING = _gauge("vexobj_media_running", "Transformations under way.")
MEDIA_CHILDREN = _counter("vexobj_media_children_started_total", "Decoder processes started.")
PROCESS_MEMORY = _gauge(
    "vexobj_process_resident_memory_bytes", "Resident memory of the server's processes."
)
PROCESS_CPU = Family(
    "vexobj_process_cpu_seconds_total", FamilyKind.COUNTER, "Processor time of the processes."
)
PROCESS_FILES = _gauge("vexobj_process_open_fds", "Open file descriptors of the processes.")
DISK_FREE = _gauge("vexobj_disk_free_bytes", "Free bytes where the data directory is.")
DISK_SIZE = _gauge("vexobj_disk_size_bytes", "Size of the file system of the data directory.")
BUILD = _gauge("vexobj_build_info", "Always 1; the label says the version.")
