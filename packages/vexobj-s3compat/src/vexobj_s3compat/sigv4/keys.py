"""Signing keys of Signature Version 4: derived once a day and scope, then remembered.

Source: AWS, "Create a signed request", step 3.
"""

import hmac
from functools import lru_cache


@lru_cache(maxsize=4096)
def signing_key(secret: str, date: str, region: str, service: str = "s3") -> bytes:
    """The key for one day (`YYYYMMDD`), region and service; the last 4096 are kept."""
    key = hmac.digest(f"AWS4{secret}".encode(), date.encode(), "sha256")
    for part in (region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
