"""The id by which a request is found again in logs; pure."""

import random

_LONGEST = 128
_GRAPHIC = frozenset(range(0x21, 0x7F))


def request_id(sent: bytes | None) -> str:
    """The client's own if it is 1 to 128 printable ASCII characters without spaces, else new."""
    if sent and len(sent) <= _LONGEST and _GRAPHIC.issuperset(sent):
        return sent.decode("ascii")
    return new_request_id()


def new_request_id() -> str:
    """A random UUID (version 4) that need not be secret.

    The system's own randomness lets go of the interpreter's lock, which costs a request more than
    all of this.
    """
    number = random.getrandbits(128)
    number = number & ~(0xF << 76) & ~(0x3 << 62) | (0x4 << 76) | (0x2 << 62)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
