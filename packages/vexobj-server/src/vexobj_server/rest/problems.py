"""The declared errors of an operation, for the contract."""

from http import HTTPStatus
from typing import Any

from vexobj_server.rest.models import Problem


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {
        status: {"model": Problem, "description": HTTPStatus(status).phrase} for status in statuses
    }
