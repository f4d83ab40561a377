"""The metric families that the server has: name, kind, labels, meaning; nothing is counted here."""

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
    labels: tuple[str, ...] = ()
    scale: int = 1
    buckets: tuple[float, ...] = ()


def _counter(name: str, meaning: str, *labels: str) -> Family:
    return Family(name, FamilyKind.COUNTER, meaning, labels)


def _gauge(name: str, meaning: str, *labels: str) -> Family:
    return Family(name, FamilyKind.GAUGE, meaning, labels)


def _seconds(name: str, meaning: str, *buckets: float) -> Family:
    return Family(name, FamilyKind.HISTOGRAM, meaning, (), MICROSECONDS, buckets)


REQUESTS = _counter("vexobj_requests_total", "Requests answered, on all APIs.")
REQUESTS_BY_METHOD = _counter(
    "vexobj_requests_by_method_total", "Requests by HTTP method.", "method"
)
REQUESTS_BY_STATUS = _counter(
    "vexobj_requests_by_status_total", "Requests by class of status: 2xx to 5xx.", "status"
)
REQUEST_DURATION = _seconds(
    "vexobj_request_duration_seconds",
    "Time from a request's head to its answer's head.",
    *(0.001, 0.01, 0.05, 0.1, 0.5, 1, 5),
)
REQUESTS_IN_PROGRESS = _gauge("vexobj_requests_in_progress", "Requests under way.")
S3_OPERATIONS = _counter(
    "vexobj_s3_operations_total",
    "S3 operations by S3's name of them and the status code of their answer.",
    *("operation", "code"),
)
OBJECTS_UPLOADED = _counter("vexobj_objects_uploaded_total", "Objects uploaded, on both APIs.")
OBJECTS_DOWNLOADED = _counter(
    "vexobj_objects_downloaded_total", "Objects, or ranges or variants of them, sent on both APIs."
)
BYTES_UPLOADED = _counter(
    "vexobj_bytes_uploaded_total", "Bytes of objects and parts stored, on both APIs."
)
BYTES_DOWNLOADED = _counter(
    "vexobj_bytes_downloaded_total", "Bytes of objects and variants sent, on both APIs."
)
CACHE_REQUESTS = _counter(
    "vexobj_cache_requests_total",
    "Look-ups of variants. What memory misses is looked for on disk.",
    *("tier", "result"),
)
CACHE_EVICTIONS = _counter(
    "vexobj_cache_evictions_total", "Variants that made room for others.", "tier"
)
CACHE_BYTES = _gauge("vexobj_cache_bytes", "Bytes held by the variant cache.", "tier")
CACHE_ENTRIES = _gauge("vexobj_cache_entries", "Variants held by the cache.", "tier")
VARIANTS_COMPUTED = _counter("vexobj_variants_computed_total", "Variants really computed.")
VARIANTS_JOINED = _counter(
    "vexobj_variants_joined_total", "Questions that were answered by another one's computation."
)
VARIANTS_FAILED = _counter(
    "vexobj_variants_failed_total",
    "Variants not made: the queue was full (busy), out of time (timeout), or not possible.",
    "reason",
)
VARIANT_DURATION = _seconds(
    "vexobj_variant_duration_seconds",
    "Time that the computation of a variant took, without its time in the queue.",
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
MEDIA_QUEUE = _gauge("vexobj_media_queue_length", "Transformations waiting for a decoder.")
MEDIA_RUNNING = _gauge("vexobj_media_running", "Transformations under way.")
MEDIA_CHILDREN = _counter("vexobj_media_children_started_total", "Decoder processes started.")
BUCKETS = _gauge("vexobj_buckets", "Buckets there are.")
BUCKET_OBJECTS = _gauge(
    "vexobj_bucket_objects", "Objects in a bucket; of the thousand largest buckets.", "bucket"
)
BUCKET_BYTES = _gauge(
    "vexobj_bucket_bytes", "Bytes of the objects in a bucket; of the same buckets.", "bucket"
)
BUCKET_NONCURRENT_BYTES = _gauge(
    "vexobj_bucket_noncurrent_bytes",
    "Bytes of a bucket's older versions and unfinished uploads; of the same buckets.",
    "bucket",
)
BUCKET_QUOTA_BYTES = _gauge(
    "vexobj_bucket_quota_bytes",
    "Bytes that a bucket may hold, older versions and unfinished uploads included; of those of the"
    " same buckets that have such a quota.",
    "bucket",
)
BUCKET_QUOTA_OBJECTS = _gauge(
    "vexobj_bucket_quota_objects",
    "Objects that a bucket may hold, older versions included; likewise.",
    "bucket",
)
QUOTAS_REACHED = _counter(
    "vexobj_quotas_reached_total",
    "Times that a bucket was found to have reached 80 or 95 percent of its quota.",
    "percent",
)
GC_RUNS = _counter("vexobj_gc_runs_total", "Garbage collections that ended well.")
GC_BLOBS = _counter("vexobj_gc_blobs_removed_total", "Blobs that garbage collection removed.")
GC_BYTES = _counter("vexobj_gc_bytes_freed_total", "Bytes that garbage collection freed.")
LIFECYCLE_RUNS = _counter("vexobj_lifecycle_runs_total", "Lifecycle sweeps that ended well.")
LIFECYCLE_ACTIONS = _counter(
    "vexobj_lifecycle_actions_total",
    "What lifecycle rules did: current versions expired (expire), noncurrent ones (remove_version)"
    " and delete markers (remove_marker) removed, uploads aborted (abort_upload), versions left as"
    " a lock protects them (locked).",
    "action",
)
LIFECYCLE_BYTES = _counter(
    "vexobj_lifecycle_bytes_total", "Bytes of the versions that lifecycle rules removed for good."
)
REWRITTEN_BLOBS = _counter(
    "vexobj_rewritten_blobs_total", "Blobs stored anew under another key: vexobj rekey --rewrite."
)
REWRITTEN_BYTES = _counter("vexobj_rewritten_bytes_total", "Bytes of the content of these blobs.")
REWRITE_FAILURES = _counter(
    "vexobj_rewrite_failures_total", "Blobs that could not be read to be stored anew."
)
SCRUBBED_BLOBS = _counter("vexobj_scrubbed_blobs_total", "Blobs that scrub has looked at.")
SCRUBBED_BYTES = _counter("vexobj_scrubbed_bytes_total", "Bytes of the content of these blobs.")
SCRUB_FINDINGS = _gauge(
    "vexobj_scrub_findings",
    "Blobs that are corrupt or missing, or could not be read (unreadable), as it stands.",
    "damage",
)
SCRUB_HALTED = _gauge(
    "vexobj_scrub_halted", "1 while a scrub cannot go on: GET /v1/admin/scrub says why."
)
SCRUB_AGE = _gauge(
    "vexobj_scrub_last_pass_age_seconds",
    "Time since scrub has read everything; absent until it has.",
)
STALE_UPLOADS = _counter(
    "vexobj_stale_uploads_aborted_total", "Uploads aborted as nothing happened in them for long."
)
BACKUP_TIME = _gauge(
    "vexobj_backup_last_success_timestamp_seconds",
    "When the last backup that ended well began; absent before the first.",
)
BACKUP_BYTES = _gauge("vexobj_backup_last_size_bytes", "Size of that backup.")
BACKUP_DAMAGED = _gauge(
    "vexobj_backup_last_damaged_blobs", "Blobs that could not be read for that backup."
)
BACKUP_FAILED = _gauge("vexobj_backup_failed", "1 when a later backup failed.")
CLOCK_HELD = _gauge(
    "vexobj_clock_held", "1 while the clock is not believed and nothing expires by it."
)
WEBHOOK_ATTEMPTS = _counter(
    "vexobj_webhook_attempts_total",
    "Attempts to deliver an event to a webhook: delivered, failed (to be tried again), or dead (the"
    " last one failed).",
    "outcome",
)
WEBHOOK_REFUSED = _counter(
    "vexobj_webhook_deliveries_refused_total",
    "Deliveries that were dead from the start, as too many wait for their webhook.",
)
WEBHOOK_DROPPED = _counter(
    "vexobj_webhook_deliveries_dropped_total",
    "Dead deliveries that were dropped to make room for others.",
)
WEBHOOK_BACKLOG = _gauge("vexobj_webhook_backlog", "Deliveries that wait for a webhook.", "webhook")
WEBHOOK_DEAD = _gauge(
    "vexobj_webhook_dead_letters", "Deliveries to a webhook that were given up.", "webhook"
)
WEBHOOK_OLDEST = _gauge(
    "vexobj_webhook_oldest_seconds",
    "Age of the oldest event that waits for a webhook; 0 when none does.",
    "webhook",
)
BLOB_SERVICE_REQUESTS = _counter(
    "vexobj_blob_service_requests_total",
    "Attempts at the S3 service that keeps the blobs: ok, retry (failed and tried again), failed"
    " (given up) or refused.",
    *("operation", "outcome"),
)
DISK_FREE = _gauge("vexobj_disk_free_bytes", "Free bytes where the data directory is.")
DISK_USED = _gauge("vexobj_disk_used_bytes", "Bytes in use where the data directory is.")
DISK_SIZE = _gauge("vexobj_disk_size_bytes", "Size of the file system of the data directory.")
PROCESS_MEMORY = _gauge(
    "vexobj_process_resident_memory_bytes",
    "Resident memory of a process of the server; of all decoders together.",
    *("role", "pid"),
)
PROCESS_CPU = _counter(
    "vexobj_process_cpu_seconds_total",
    "Processor time of a process; of all decoders together, those that ended included.",
    *("role", "pid"),
)
PROCESS_FILES = _gauge(
    "vexobj_process_open_fds", "Open file descriptors of a process.", "role", "pid"
)
BUILD = _gauge("vexobj_build_info", "Always 1; the label says the version.", "version")

FAMILIES = {each.name: each for each in tuple(vars().values()) if isinstance(each, Family)}
"""By name, in the order they are told in."""
