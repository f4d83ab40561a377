"""Header values that keep browsers from being turned against the server; constants and one rule.

User content is never trusted on the main origin: what a browser could execute is served with
`SANDBOX`. Source: www.w3.org/TR/CSP3, html.spec.whatwg.org (sandbox).
"""

import re

Header = tuple[bytes, bytes]

_NATIVE_POLICY = (
    b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline';"
    b" object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_SANDBOX_POLICY = (
    b"sandbox; default-src 'none'; img-src 'self' data:; media-src 'self';"
    b" style-src 'unsafe-inline'"
)

NOSNIFF: Header = (b"x-content-type-options", b"nosniff")

NATIVE: tuple[Header, ...] = (
    NOSNIFF,
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", _NATIVE_POLICY),
)
"""For every answer of the native API and its pages."""

STRICT_TRANSPORT: Header = (b"strict-transport-security", b"max-age=31536000")
"""Only over HTTPS; the operator's other subdomains are not ours to decide about."""

SANDBOX: Header = (b"content-security-policy", _SANDBOX_POLICY)
"""For user content that a browser could execute: no scripts, no forms, an origin of its own."""

_TCHAR = r"[!#$%&'+\-.^_`|~0-9A-Za-z]+"
_MEDIA_TYPE = re.compile(rf"[ \t]*({_TCHAR}/{_TCHAR})[ \t]*(?:;[^,]*)?")
_ACTIVE = frozenset(
    {
        "*/*",
        "text/html",
        "text/rdf",
        "text/xml",
        "text/xml-external-parsed-entity",
        "text/xsl",
        "application/unknown",
        "application/xml",
        "application/xml-external-parsed-entity",
        "image/svg",
        "message/rfc822",
        "unknown/unknown",
    }
)


def is_active(content_type: str) -> bool:
    """Whether a browser that is shown this could run scripts from it.

    What is not exactly one media type counts as active: of `text/plain,text/html` and
    `text/html(x` browsers make HTML.
    """
    match = _MEDIA_TYPE.fullmatch(content_type)
    if match is None:
        return True
    essence = match[1].lower()
    return essence in _ACTIVE or essence.startswith("multipart/") or essence.endswith("+xml")
