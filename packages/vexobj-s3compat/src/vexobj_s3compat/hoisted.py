"""Headers that the maker of a presigned URL moved into its query, which the signature covers. Pure.

Those that speak of the payload stay without effect, as at AWS: SDKs sign the checksum of an empty
body there before they know which one will be sent.
"""

import re
from collections.abc import Mapping

from vexobj_s3compat.errors import InvalidArgument

_SIGNATURE = "X-Amz-Signature"
_OF_SIGNATURE = frozenset(
    {
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    }
)
_OF_PAYLOAD = (
    "x-amz-checksum-",
    "x-amz-content-sha256",
    "x-amz-decoded-content-length",
    "x-amz-sdk-",
    "x-amz-trailer",
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def with_hoisted(headers: Mapping[str, str], parameters: Mapping[str, str]) -> Mapping[str, str]:
    """The headers as if nothing had been moved; one that was sent goes before one of the query.

    Only of a presigned request: in any other the x-amz- parameters are none of a header's.

    Raises:
        InvalidArgument: a name or value that no header can have (RFC 9110 section 5).
    """
    if _SIGNATURE not in parameters:
        return headers
    moved: dict[str, str] = {}
    for parameter, value in parameters.items():
        name = parameter.lower()
        if not name.startswith("x-amz-") or name in _OF_SIGNATURE or name.startswith(_OF_PAYLOAD):
            continue
        if _TOKEN.fullmatch(name) is None or _CONTROL.search(value) is not None:
            raise InvalidArgument(fields={"ArgumentName": parameter, "ArgumentValue": value})
        moved.setdefault(name, value.strip().encode().decode("latin-1"))
    return {**moved, **headers} if moved else headers
