"""The aws-chunked framing of request bodies, in its signed and unsigned forms, without I/O.

Bytes go in, events come out. Data is released as it arrives and hashed on the way, so memory
stays constant whatever size a chunk claims; a wrong chunk signature raises at the end of its
chunk, and `End` comes only when every signature and trailer was right: **nothing may become
visible before `End`.** Source: AWS, "Signature Calculations for the Authorization Header:
Transferring Payload in Multiple Chunks" and "... Including Trailing Headers".

Read leniently, because real clients do it and no integrity is lost: chunks under 8 KiB, lines
that end in a bare LF (minio-go ends its trailers so), an empty line before the trailer's
signature (minio-go), a missing empty line at the very end.
"""

import hmac
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import sha256

from vexobj_s3compat.errors import (
    IncompleteBody,
    InvalidChunk,
    MalformedTrailerError,
    SignatureDoesNotMatch,
)
from vexobj_s3compat.sigv4.pending import Verified

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

MAX_LINE = 1024
MAX_TRAILERS = 16
_EMPTY = sha256(b"").hexdigest()
_TRAILER_SIGNATURE = "x-amz-trailer-signature"
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,16})(?:;[ ]*chunk-signature=([0-9a-fA-F]{64}))?[ ]*")
_TRAILER = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*:[ \t]*(.*?)[ \t]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Data:
    """Payload. In a signed form it is proved only when the next chunk or `End` follows."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Trailers:
    """What came after the last chunk, lower-case names; the signature's own is not in it."""

    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class End:
    """Everything that can be checked here was, and was right."""


Event = Data | Trailers | End


class _State(Enum):
    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()
    DONE = auto()


class ChunkedDecoder:
    """One request body. Feed what arrives; call `close` when the client has sent all.

    Args:
        form: The x-amz-content-sha256 of the request: one of the three above.
        seed: What `PendingAuth.verify` returned; needed by the signed forms.
        verify: False where nobody's signatures count: those in the framing are then read over.
        trailers: Names that x-amz-trailer declared, lower case; each must come.
        decoded_length: x-amz-decoded-content-length, None if it was not sent.
    """

    def __init__(
        self,
        form: str,
        seed: Verified | None,
        *,
        trailers: Collection[str] = (),
        decoded_length: int | None = None,
        verify: bool = True,
    ) -> None:
        self._is_signed = form != UNSIGNED_TRAILER
        self._signer = _Signer(seed) if self._is_signed and seed is not None else None
        if self._is_signed and verify and self._signer is None:
            raise ValueError("a signed form needs the seed signature")
        self._may_trail = form != SIGNED
        self._declared = frozenset(trailers)
        self._left_in_all = decoded_length
        self._left_in_chunk = 0
        self._last = False
        self._line = bytearray()
        self._trailers: dict[str, str] = {}
        self._trailer_signature: str | None = None
        self._state = _State.SIZE

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that these bytes complete; the iterator must be exhausted.

        Raises:
            InvalidChunk: the framing is wrong, or something follows the end.
            IncompleteBody: more than decoded_length.
            SignatureDoesNotMatch: of a chunk or of the trailer.
            MalformedTrailerError: a trailer is wrong, undeclared, or missing.
        """
        position, size = 0, len(data)
        while position < size:
            if self._state is _State.DATA:
                end = min(size, position + self._left_in_chunk)
                piece = data if end - position == size else data[position:end]
                position = end
                self._take(piece)
                yield Data(piece)
                continue
            line_end = data.find(b"\n", position, position + MAX_LINE)
            if line_end < 0:
                self._line += data[position : position + MAX_LINE]
                if len(self._line) >= MAX_LINE or size - position >= MAX_LINE:
                    raise self._too_long()
                return
            if self._line:
                self._line += data[position:line_end]
                line = bytes(self._line)
                self._line.clear()
                if len(line) >= MAX_LINE:
                    raise self._too_long()
            else:
                line = data[position:line_end]
            position = line_end + 1
            yield from self._on_line(line.removesuffix(b"\r"))

    def close(self) -> Iterator[Event]:
        """The client has sent all.

        Raises:
            IncompleteBody: it ended before its last chunk.
            MalformedTrailerError: it ended before a trailer that it had declared.
        """
        if self._state is _State.TRAILER and not self._line.strip(b"\r"):
            yield from self._finish()
        if self._state is not _State.DONE:
            raise IncompleteBody
        if self._line.strip(b"\r"):
            raise InvalidChunk("There is data after the end of the body")

    def _too_long(self) -> InvalidChunk | MalformedTrailerError:
        if self._state is _State.TRAILER:
            return MalformedTrailerError()
        return InvalidChunk("A chunk header is too long")

    def _on_line(self, line: bytes) -> Iterator[Event]:
        if self._state is _State.SIZE:
            self._on_size(line)
        elif self._state is _State.DATA_END:
            if line:
                raise InvalidChunk("A chunk is longer than its size")
            self._state = _State.SIZE
        elif self._state is _State.TRAILER:
            if line:
                self._on_trailer(line)
            elif not self._awaits_signature():
                yield from self._finish()
        elif line:
            raise InvalidChunk("There is data after the end of the body")

    def _on_size(self, line: bytes) -> None:
        match = _CHUNK.fullmatch(line)
        if match is None or self._is_signed == (match[2] is None):
            raise InvalidChunk
        size = int(match[1], 16)
        if self._left_in_all is not None:
            if size > self._left_in_all:
                raise IncompleteBody(
                    "You sent more bytes than the x-amz-decoded-content-length header said"
                )
            self._left_in_all -= size
        if self._signer is not None:
            self._signer.begin(match[2])
        self._left_in_chunk = size
        if size:
            self._state = _State.DATA
            return
        if self._signer is not None:
            self._signer.end()
        self._state = _State.TRAILER

    def _take(self, piece: bytes) -> None:
        self._left_in_chunk -= len(piece)
        if self._signer is not None:
            self._signer.update(piece)
        if not self._left_in_chunk:
            if self._signer is not None:
                self._signer.end()
            self._state = _State.DATA_END

    def _on_trailer(self, line: bytes) -> None:
        match = _TRAILER.fullmatch(line.decode("latin-1"))
        if match is None or not self._may_trail or len(self._trailers) >= MAX_TRAILERS:
            raise MalformedTrailerError
        name, value = match[1].lower(), match[2]
        if name == _TRAILER_SIGNATURE and self._is_signed:
            if self._trailer_signature is not None:
                raise MalformedTrailerError
            self._trailer_signature = value
        elif (
            name in self._trailers
            or name not in self._declared
            or self._trailer_signature is not None
        ):
            raise MalformedTrailerError
        else:
            self._trailers[name] = value

    def _awaits_signature(self) -> bool:
        return self._is_signed and bool(self._trailers) and self._trailer_signature is None

    def _finish(self) -> Iterator[Event]:
        if self._left_in_all:
            raise IncompleteBody
        if self._trailers.keys() != self._declared:
            raise MalformedTrailerError
        if self._signer is not None and self._trailers:
            self._signer.check_trailer(self._trailers, self._trailer_signature)
        self._state = _State.DONE
        if self._trailers:
            yield Trailers(dict(self._trailers))
        yield End()


class _Signer:
    """The chain of signatures: each signs the one before and the hash of its chunk."""

    __slots__ = ("_claimed", "_hash", "_key", "_previous", "_scope")

    def __init__(self, seed: Verified) -> None:
        self._key = seed.signing_key
        self._scope = f"{seed.timestamp}\n{seed.scope}\n"
        self._previous = seed.signature
        self._claimed = b""
        self._hash = sha256()

    def begin(self, claimed: bytes) -> None:
        self._claimed = claimed.lower()
        self._hash = sha256()

    def update(self, piece: bytes) -> None:
        self._hash.update(piece)

    def end(self) -> None:
        self._check(
            f"AWS4-HMAC-SHA256-PAYLOAD\n{self._scope}{self._previous}\n{_EMPTY}\n"
            f"{self._hash.hexdigest()}",
            self._claimed,
        )

    def check_trailer(self, trailers: Mapping[str, str], claimed: str | None) -> None:
        lines = "".join(f"{name}:{value}\n" for name, value in trailers.items())
        self._check(
            f"AWS4-HMAC-SHA256-TRAILER\n{self._scope}{self._previous}\n"
            f"{sha256(lines.encode('latin-1')).hexdigest()}",
            (claimed or "").lower().encode("latin-1", "replace"),
        )

    def _check(self, to_sign: str, claimed: bytes) -> None:
        expected = self._key.sign(to_sign.encode("latin-1"))
        if not hmac.compare_digest(expected.encode(), claimed):
            raise SignatureDoesNotMatch(
                fields={
                    "StringToSign": to_sign,
                    "SignatureProvided": claimed.decode("latin-1"),
                }
            )
        self._previous = expected
