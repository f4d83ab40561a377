"""The S3 protocol as an ASGI app over a backend interface."""

from vexobj_s3compat.app import S3App
from vexobj_s3compat.backend import Credential, Credentials, S3Backend
from vexobj_s3compat.content import (
    Body,
    BytesContent,
    Content,
    Hasher,
    PartRange,
    Payload,
)
from vexobj_s3compat.errors import S3Error
from vexobj_s3compat.memory import MemoryBackend, MemoryCredentials
from vexobj_s3compat.respond import IncompletePayload, Response, respond
from vexobj_s3compat.serve import serve_content
from vexobj_s3compat.sigv4.signer import Signer
from vexobj_s3compat.types import Caller, Request
from vexobj_s3compat.virtual_hosts import VirtualHosts

__all__ = [
    "Body",
    "BytesContent",
    "Caller",
    "Content",
    "Credential",
    "Credentials",
    "Hasher",
    "IncompletePayload",
    "MemoryBackend",
    "MemoryCredentials",
    "PartRange",
    "Payload",
    "Request",
    "Response",
    "S3App",
    "S3Backend",
    "S3Error",
    "Signer",
    "VirtualHosts",
    "respond",
    "serve_content",
]
