"""The conditions that processing can end in; not how a protocol words them.

ProcessingError
├── InvalidTransform
├── UnsupportedImage
├── ImageUnreadable
├── LimitExceeded
└── JobFailed
    ├── JobTimeout
    └── JobCrashed
"""

from dataclasses import dataclass


@dataclass(eq=False)
class ProcessingError(Exception):
    """Base of every condition of this package."""

    def __post_init__(self) -> None:
        super().__init__(str(self))

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"


@dataclass(eq=False)
class InvalidTransform(ProcessingError):
    """A transform parameter has a value that it cannot have."""

    parameter: str
    reason: str


@dataclass(eq=False)
class UnsupportedImage(ProcessingError):
    """The bytes are none of the formats that are decoded; they may be no image at all."""


@dataclass(eq=False)
class ImageUnreadable(ProcessingError):
    """The bytes claim a known format but are truncated or corrupt."""

    reason: str


@dataclass(eq=False)
class LimitExceeded(ProcessingError):
    """`limit` is the name of a field of `Limits`; `value` is None where it never got known."""

    limit: str
    maximum: int
    value: int | None = None


@dataclass(eq=False)
class JobFailed(ProcessingError):
    """Base of what befell the child process rather than the image."""


@dataclass(eq=False)
class JobTimeout(JobFailed):
    """The job was killed when its time was over."""

    seconds: float


@dataclass(eq=False)
class JobCrashed(JobFailed):
    """The child process died under the job."""
