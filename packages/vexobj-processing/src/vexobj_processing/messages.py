"""This package's values and conditions as JSON objects, and back."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from vexobj_processing import errors
from vexobj_processing.errors import JobCrashed, ProcessingError
from vexobj_processing.negotiate import Preference
from vexobj_processing.params import Fit, Format, Transform

_CONDITIONS: dict[str, type[ProcessingError]] = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, ProcessingError)
}


def transform_message(transform: Transform, preference: Preference) -> dict[str, Any]:
    return {"transform": asdict(transform), "preference": list(preference)}


def read_transform(message: dict[str, Any]) -> tuple[Transform, Preference]:
    fields = dict(message["transform"])
    fields["fit"] = Fit(fields["fit"])
    fields["format"] = Format(fields["format"]) if fields["format"] else None
    preference: Sequence[str] = message["preference"]
    return Transform(**fields), tuple(Format(item) for item in preference)


def error_message(error: ProcessingError) -> dict[str, Any]:
    return {"condition": type(error).__name__, "fields": vars(error)}


def read_error(message: dict[str, Any]) -> ProcessingError:
    condition = _CONDITIONS.get(message["condition"], JobCrashed)
    return condition(**message["fields"])
