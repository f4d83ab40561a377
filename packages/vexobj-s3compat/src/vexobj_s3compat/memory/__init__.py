"""A backend that keeps everything in memory: the reference for tests, not a store.

Access is the simplest rule that has both sides: whoever created a bucket may do all with it,
others may read what is `public-read`. Conditions and versions behave as on S3.
"""

from vexobj_s3compat.memory.backend import MemoryBackend
from vexobj_s3compat.memory.credentials import MemoryCredential, MemoryCredentials

__all__ = ["MemoryBackend", "MemoryCredential", "MemoryCredentials"]
