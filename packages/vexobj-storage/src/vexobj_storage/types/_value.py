"""How the values are made."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

C = TypeVar("C")


@dataclass_transform(frozen_default=True)
def value(cls: type[C]) -> type[C]:
    """A dataclass that is frozen for type checkers alone.

    For what is made at every request, or a thousand times for one: at run time a frozen one of
    sixteen fields costs 2.9 us to make, this one 0.2.
    """
    return dataclass(slots=True)(cls)
