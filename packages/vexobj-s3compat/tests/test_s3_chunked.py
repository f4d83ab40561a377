"""aws-chunked in its three forms, cut anywhere, and broken in every way."""

import contextlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_s3compat.errors import (
    IncompleteBody,
    InvalidChunk,
    MalformedTrailerError,
    S3Error,
    SignatureDoesNotMatch,
)
from vexobj_s3compat.sigv4 import Verified
from vexobj_s3compat.sigv4.chunked import (
    SIGNED,
    SIGNED_TRAILER,
    UNSIGNED_TRAILER,
    ChunkedDecoder,
    Data,
    End,
    Event,
    Trailers,
)
from vexobj_s3compat.sigv4.keys import SigningKey
from vexobj_s3compat.sigv4.signer import sign_chunks

SEED = Verified(
    SigningKey(b"k" * 32), "20260101T000000Z", "20260101/us-east-1/s3/aws4_request", "0" * 64
)
NAME = "x-amz-checksum-crc32"
TRAILER = {NAME: "NSRBwg=="}
CHUNKS = [b"hello\r\n", b"0\r\n\r\n", b"x" * 300]
PLAIN = b"".join(CHUNKS)


def unsigned(
    chunks: Iterable[bytes] = CHUNKS, tail: bytes = b"x-amz-checksum-crc32:NSRBwg==\r\n\r\n"
) -> bytes:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return framed + b"0\r\n" + tail


def decoder(form: str, length: int | None = len(PLAIN)) -> ChunkedDecoder:
    seed = None if form == UNSIGNED_TRAILER else SEED
    trailers = () if form == SIGNED else (NAME,)
    return ChunkedDecoder(form, seed, trailers=trailers, decoded_length=length)


def decode(form: str, *pieces: bytes, length: int | None = len(PLAIN)) -> list[Event]:
    machine = decoder(form, length)
    return [*(event for piece in pieces for event in machine.feed(piece)), *machine.close()]


def check(events: list[Event], *, trailers: bool) -> None:
    assert b"".join(event.data for event in events if isinstance(event, Data)) == PLAIN
    assert [event for event in events if not isinstance(event, Data)] == (
        [Trailers(TRAILER), End()] if trailers else [End()]
    )


BODIES = {
    SIGNED: b"".join(sign_chunks(SEED, CHUNKS)),
    SIGNED_TRAILER: b"".join(sign_chunks(SEED, CHUNKS, TRAILER)),
    UNSIGNED_TRAILER: unsigned(),
}


@pytest.mark.parametrize("form", BODIES)
def test_every_split(form: str) -> None:
    body = BODIES[form]
    for cut in range(len(body) + 1):
        check(decode(form, body[:cut], body[cut:]), trailers=form != SIGNED)
    check(decode(form, *(bytes([byte]) for byte in body)), trailers=form != SIGNED)


@pytest.mark.parametrize("form", BODIES)
def test_a_body_cut_short_never_ends(form: str) -> None:
    body = BODIES[form]
    whole = len(body) - 2  # the last empty line may be missing
    for cut in range(whole - 1):
        with pytest.raises(S3Error):
            decode(form, body[:cut])


@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER])
def test_any_byte_changed_is_noticed(form: str) -> None:
    body = BODIES[form]
    for at in range(len(body) - 2):
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        with pytest.raises(S3Error):
            decode(form, changed)


@pytest.mark.parametrize(
    "tail",
    [
        b"x-amz-checksum-crc32:NSRBwg==\r\n\r\n",
        b"x-amz-checksum-crc32:NSRBwg==\r\n",
        b"x-amz-checksum-crc32:NSRBwg==\n\r\n\r\n",
        b"X-Amz-Checksum-CRC32: NSRBwg== \r\n\r\n",
    ],
)
def test_what_clients_write_at_the_end(tail: bytes) -> None:
    check(decode(UNSIGNED_TRAILER, unsigned(tail=tail)), trailers=True)


def test_minio_go_writes_an_empty_line_before_the_trailer_signature() -> None:
    body = BODIES[SIGNED_TRAILER].replace(b"==\r\n", b"==\n\r\n")
    check(decode(SIGNED_TRAILER, body), trailers=True)
    check(decode(SIGNED_TRAILER, *(bytes([byte]) for byte in body)), trailers=True)


def test_signatures_may_be_upper_case() -> None:
    body = BODIES[SIGNED]
    signature = body[18:82]
    check(decode(SIGNED, body.replace(signature, signature.upper())), trailers=False)


@pytest.mark.parametrize(
    ("form", "body", "error"),
    [
        (UNSIGNED_TRAILER, unsigned(tail=b"\r\n"), MalformedTrailerError),
        (UNSIGNED_TRAILER, unsigned(tail=b"x-other:1\r\n\r\n"), MalformedTrailerError),
        (UNSIGNED_TRAILER, unsigned(tail=b"nothing\r\n\r\n"), MalformedTrailerError),
        (
            UNSIGNED_TRAILER,
            unsigned(tail=f"{NAME}:1\r\n{NAME}:1\r\n".encode()),
            MalformedTrailerError,
        ),
        (UNSIGNED_TRAILER, unsigned(tail=b"x-amz-trailer-signature:1\r\n"), MalformedTrailerError),
        (UNSIGNED_TRAILER, unsigned(tail=b"a" * 5000), MalformedTrailerError),
        (UNSIGNED_TRAILER, unsigned() + b"more\n", InvalidChunk),
        (UNSIGNED_TRAILER, unsigned() + b"m", InvalidChunk),
        (UNSIGNED_TRAILER, b"zz\r\n", InvalidChunk),
        (UNSIGNED_TRAILER, b"-1\r\n", InvalidChunk),
        (UNSIGNED_TRAILER, b"+5\r\nhello\r\n", InvalidChunk),
        (UNSIGNED_TRAILER, b"\r\n", InvalidChunk),
        (UNSIGNED_TRAILER, b"f" * 17 + b"\r\n", InvalidChunk),
        (UNSIGNED_TRAILER, b"f" * 16 + b"\r\n", IncompleteBody),
        (UNSIGNED_TRAILER, b"1" * 5000, InvalidChunk),
        (UNSIGNED_TRAILER, b"3\r\nabcd\r\n", InvalidChunk),
        (UNSIGNED_TRAILER, BODIES[SIGNED], InvalidChunk),
        (SIGNED, unsigned(), InvalidChunk),
        (SIGNED, BODIES[SIGNED_TRAILER], MalformedTrailerError),
        (SIGNED_TRAILER, BODIES[SIGNED], MalformedTrailerError),
        (UNSIGNED_TRAILER, unsigned([PLAIN, b"x"]), IncompleteBody),
        (UNSIGNED_TRAILER, unsigned([PLAIN[:-1]]), IncompleteBody),
        (UNSIGNED_TRAILER, b"", IncompleteBody),
        (
            SIGNED,
            b"".join(sign_chunks(SEED._replace(signature="1" * 64), CHUNKS)),
            SignatureDoesNotMatch,
        ),
        (SIGNED_TRAILER, BODIES[SIGNED_TRAILER].replace(b"NSRB", b"NSRC"), SignatureDoesNotMatch),
    ],
)
def test_broken(form: str, body: bytes, error: type[S3Error]) -> None:
    with pytest.raises(error):
        decode(form, body)
    with pytest.raises(error):
        decode(form, *(bytes([byte]) for byte in body))


def test_reordered_chunks_are_refused() -> None:
    framed = list(sign_chunks(SEED, CHUNKS))
    with pytest.raises(SignatureDoesNotMatch):
        decode(SIGNED, b"".join(framed[2:4] + framed[:2] + framed[4:]))


def test_length_may_be_unknown_and_the_body_empty() -> None:
    check(decode(SIGNED, BODIES[SIGNED], length=None), trailers=False)
    empty = decode(UNSIGNED_TRAILER, unsigned([]), length=0)
    assert empty == [Trailers(TRAILER), End()]


def test_a_chunk_that_arrives_whole_is_not_copied() -> None:
    machine = decoder(UNSIGNED_TRAILER, None)
    assert list(machine.feed(b"10000\r\n")) == []
    piece = b"x" * 5000
    (event,) = machine.feed(piece)
    assert isinstance(event, Data)
    assert event.data is piece


@given(
    st.sampled_from([SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]),
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([b"\r\n", b"0\r\n", b"5\r\n", b"5\r\nhello\r\n", *BODIES.values()]),
        ),
        max_size=8,
    ),
)
def test_nothing_but_an_s3_error(form: str, pieces: list[bytes]) -> None:
    with contextlib.suppress(S3Error):
        decode(form, *pieces)
