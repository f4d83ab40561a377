"""What scrub found, and how far it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Damage(IntEnum):
    """What scrub found of a blob. UNREADABLE says nothing of its bytes: they could not be read."""

    CORRUPT = 1
    MISSING = 2
    UNREADABLE = 3


@dataclass(frozen=True, slots=True)
class FindingPlace:
    """A version that has damaged bytes; with `is_upload` an upload under way, `version_id` its id.

    `bucket` is None for a bucket that is gone.
    """

    bucket: str | None
    key: bytes
    version_id: str
    is_upload: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A blob that is not as it was put, or could not be read, and what it is of.

    What is in quarantine is not read nor shared, and stays where it is as long as anything refers
    to it. `places` are the first of `places_count`; none are known before it is `traced`.
    """

    blob_id: bytes
    damage: Damage
    reason: str
    found_at: datetime
    size: int
    quarantined: bool
    traced: bool
    places_count: int = 0
    places: Sequence[FindingPlace] = ()


@dataclass(frozen=True, slots=True)
class ScrubPass:
    """One pass over all blobs: how far it is, or was when it ended, and what it found.

    `bytes` are those of contents that were read. `sealed_away` blobs could not be opened for want
    of a key. `halted` says in a clause why it does not go on, until it does.
    """

    began_at: datetime
    ended_at: datetime | None
    dry_run: bool
    blobs: int
    bytes: int
    all_blobs: int
    all_bytes: int
    corrupt: int
    missing: int
    unreadable: int
    sealed_away: int
    halted: str | None


@dataclass(frozen=True, slots=True)
class ScrubStep:
    """What one step of a pass did."""

    blobs: int = 0
    bytes: int = 0
    damaged: int = 0


@dataclass(frozen=True, slots=True)
class ScrubState:
    """`current` is the pass under way, or the last one; `completed` the last that was no dry run.

    `findings` counts what stands by damage.
    """

    current: ScrubPass | None
    completed: ScrubPass | None
    findings: Mapping[Damage, int]
