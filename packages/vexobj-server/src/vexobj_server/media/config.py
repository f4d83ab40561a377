"""What the broker is started with."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vexobj_processing import DEFAULT_ENCODING, DEFAULT_LIMITS, Encoding, Limits
from vexobj_server.cpus import processors
from vexobj_server.settings import Settings

_UNLIMITED_BYTES = 2**62
_TURN_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConfig:
    """`memory_bytes` is what all jobs together may be estimated at; `queue_size` how many wait.

    `cache_dir` None means that no variant is kept on disk, `metrics_dir` None that none are counted
    where others can read it. Variants on disk are sealed under `cache_key` if there is one.
    """

    socket_path: Path
    workers: int
    metrics_dir: Path | None = None
    cache_dir: Path | None = None
    cache_bytes: int = 0
    cache_key: bytes | None = field(default=None, repr=False)
    queue_size: int = 64
    memory_bytes: int = 1024**3
    child_memory_bytes: int = 1024**3
    job_seconds: float = 10.0
    jobs_per_child: int = 256
    limits: Limits = DEFAULT_LIMITS
    encoding: Encoding = DEFAULT_ENCODING

    def to_json(self) -> str:
        fields = asdict(self)
        fields["cache_key"] = self.cache_key and self.cache_key.hex()
        return json.dumps(fields, default=str)

    @classmethod
    def from_json(cls, text: str) -> "BrokerConfig":
        fields = json.loads(text)
        cache_dir, metrics_dir = fields["cache_dir"], fields["metrics_dir"]
        cache_key = fields["cache_key"]
        return cls(
            **fields
            | {
                "socket_path": Path(fields["socket_path"]),
                "metrics_dir": Path(metrics_dir) if metrics_dir else None,
                "cache_dir": Path(cache_dir) if cache_dir else None,
                "cache_key": bytes.fromhex(cache_key) if cache_key else None,
                "limits": Limits(**fields["limits"]),
                "encoding": Encoding(**fields["encoding"]),
            }
        )


def image_limits(settings: Settings) -> Limits:
    images = settings.images
    return Limits(
        max_source_bytes=images.max_transform_size,
        max_source_pixels=images.max_source_pixels,
        max_result_side=images.max_dimension,
        # What the codecs and the interpreter need beside the picture comes on top.
        max_memory_bytes=images.worker_memory * 5 // 8,
    )


def image_encoding(settings: Settings) -> Encoding:
    images = settings.images
    return Encoding(
        jpeg_quality=images.default_quality,
        webp_quality=images.webp_quality,
        avif_quality=images.avif_quality,
        avif_speed=images.avif_speed,
    )


def answer_seconds(settings: Settings) -> float:
    """How long a worker waits for a rendering: for its turn, then for as long as it may take."""
    return _TURN_SECONDS + settings.images.timeout.total_seconds()


def broker_config(
    settings: Settings, socket_path: Path, metrics_dir: Path, cache_key: bytes | None
) -> BrokerConfig:
    images = settings.images
    return BrokerConfig(
        socket_path=socket_path,
        metrics_dir=metrics_dir,
        workers=images.workers or len(processors()),
        cache_dir=settings.cache_dir,
        cache_bytes=settings.cache.disk_size or _UNLIMITED_BYTES,
        cache_key=cache_key,
        queue_size=images.queue_size,
        memory_bytes=images.worker_memory,
        child_memory_bytes=images.worker_memory,
        job_seconds=images.timeout.total_seconds(),
        limits=image_limits(settings),
        encoding=image_encoding(settings),
    )
