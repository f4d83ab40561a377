"""The conditions of media that are not the image's own (`vexobj_processing.errors` has those).

MediaError
├── MediaUnsupported
└── MediaUnavailable
    ├── MediaBusy
    └── MediaDeadline
"""

from dataclasses import dataclass


@dataclass(eq=False)
class MediaError(Exception):
    """Base of them."""

    def __post_init__(self) -> None:
        super().__init__(str(self))

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"


@dataclass(eq=False)
class MediaUnsupported(MediaError):
    """The object is no image that can be transformed: the original is the answer."""


@dataclass(eq=False)
class MediaUnavailable(MediaError):
    """The broker is not there just now; it is being started again."""

    retry_after_seconds: float = 1.0


@dataclass(eq=False)
class MediaBusy(MediaUnavailable):
    """The queue is full."""


@dataclass(eq=False)
class MediaDeadline(MediaUnavailable):
    """The answer did not come in time; the image may be rendered all the same."""
