"""How the values are made."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

C = TypeVar("C")


@dataclass_transform(frozen_default=True)
def value(cls: type[C]) -> type[C]:
    """A dataclass that is frozen for type checkers alone.

    For what is made at every request, or a thousand times for one page: a frozen one is made with
    `object.__setattr__` for each of its fields, which takes many times as long.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
