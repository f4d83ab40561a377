"""The name of a rendering: the same for the same bytes, another for any other."""

import hashlib
from functools import lru_cache

from vexobj_processing.encode import encoder_version
from vexobj_processing.limits import DEFAULT_ENCODING, DEFAULT_LIMITS, Encoding, Limits
from vexobj_processing.negotiate import Preference
from vexobj_processing.params import Transform


def variant_key(
    content_id: bytes,
    transform: Transform,
    preference: Preference,
    *,
    encoding: Encoding = DEFAULT_ENCODING,
    limits: Limits = DEFAULT_LIMITS,
) -> str:
    """64 hex digits of SHA-256 over content, canonical transform and the encoder's version.

    `content_id` names the source's bytes for ever (their SHA-256, for one); so a key is never
    stale, and it makes a strong ETag.
    """
    rendering = _rendering(transform, preference, encoding, limits.max_result_side)
    return hashlib.sha256(content_id + rendering).hexdigest()


@lru_cache(maxsize=1024)
def _rendering(
    transform: Transform, preference: Preference, encoding: Encoding, max_side: int
) -> bytes:
    formats = ",".join(preference) if transform.negotiated else ""
    described = (transform.canonical(), formats, f"{encoding} {max_side}", encoder_version())
    return "\0".join(("", *described)).encode()
