"""The contract of the native API, made from its routes; the same text every time."""

import json
from importlib.metadata import version
from typing import Any

import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_SUMMARY = "The native API of VexObj. The S3 API, at /s3 and at the root, is Amazon's."
_GENERATED_BY_THE_FRAMEWORK = ("HTTPValidationError", "ValidationError")

Document = dict[str, Any]


class NativeApi(FastAPI):
    """A FastAPI app that publishes nothing by itself, and names schemas as we do."""

    def __init__(self) -> None:
        super().__init__(
            title="VexObj",
            summary=_SUMMARY,
            version=version("vexobj-server"),
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
        )

    def openapi(self) -> Document:
        if self.openapi_schema is None:
            self.openapi_schema = _tidied(
                get_openapi(
                    title=self.title,
                    version=self.version,
                    summary=self.summary,
                    routes=self.routes,
                    separate_input_output_schemas=False,
                )
            )
        return self.openapi_schema


def openapi_yaml(document: Document) -> str:
    """The same text for the same routes, on every machine."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def openapi_json(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _tidied(document: Document) -> Document:
    """Without the framework's own validation answers: ours is a 400 in the one form of errors."""
    for path in document["paths"].values():
        for operation in path.values():
            answer = operation["responses"].get("422", {})
            if "HTTPValidationError" in json.dumps(answer):
                del operation["responses"]["422"]
                operation["responses"].setdefault("400", _BAD_REQUEST)
    schemas = document["components"]["schemas"]
    for name in _GENERATED_BY_THE_FRAMEWORK:
        schemas.pop(name, None)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


_BAD_REQUEST = {
    "description": "Bad Request",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
