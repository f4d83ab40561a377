"""What verifying Signature Version 4 and decoding aws-chunked cost on one core, in CPU time."""

import time
from collections.abc import Callable

from figures import Figure, figure, publish

from vexobj_s3compat.sigv4 import parse
from vexobj_s3compat.sigv4.chunked import SIGNED, UNSIGNED_TRAILER, ChunkedDecoder
from vexobj_s3compat.sigv4.signer import Signer, sign_chunks

NOW = 1_800_000_000.0
SIGNER = Signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HOST = {"host": "127.0.0.1:9000"}
MORE = {"user-agent": "benchmark/1", "accept-encoding": "identity", "amz-sdk-request": "attempt=1"}
PATH = b"/media/cache/accounts/avatars/111/111/111/original/photo.jpg"
RUNS = 5
COUNT = 20_000
TOTAL = 64 * 1024 * 1024
PIECE = 320 * 1024


def seconds(work: Callable[[], None]) -> list[float]:
    """CPU of each run."""
    taken = []
    for _ in range(RUNS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return taken


def verifying(name: str, path: bytes, query: bytes, headers: dict[str, str]) -> Figure:
    def work() -> None:
        for _ in range(COUNT):
            pending = parse("GET", path, query, headers, now=NOW, region="us-east-1")
            if pending is None:
                raise AssertionError(name)
            pending.verify(SIGNER.secret_access_key)

    return figure(name, "us", [taken / COUNT * 1e6 for taken in seconds(work)])


def decoding(name: str, form: str, body: bytes) -> Figure:
    pieces = [body[at : at + PIECE] for at in range(0, len(body), PIECE)]
    seed = SIGNER.seed(SEEDED) if form == SIGNED else None

    def work() -> None:
        decoder = ChunkedDecoder(form, seed)
        for piece in pieces:
            for _ in decoder.feed(piece):
                pass
        for _ in decoder.close():
            pass

    return figure(name, "MB/s", [len(body) / taken / 1e6 for taken in seconds(work)])


SEEDED = SIGNER.sign("PUT", PATH, b"", HOST, now=NOW, payload_hash=SIGNED)


def verifications() -> list[Figure]:
    listing = b"list-type=2&prefix=cache%2Faccounts%2F&delimiter=%2F&max-keys=1000"
    escaped = b"/media/a%20b%2B%C3%BC.jpg"
    presigned = SIGNER.presign("GET", PATH, b"", HOST, now=NOW, expires_seconds=3600)

    def signed(path: bytes, query: bytes = b"") -> dict[str, str]:
        return SIGNER.sign("GET", path, query, HOST, now=NOW) | MORE

    return [
        verifying("header, GET of an object", PATH, b"", signed(PATH)),
        verifying("header, listing", b"/media", listing, signed(b"/media", listing)),
        verifying("header, key with escapes", escaped, b"", signed(escaped)),
        verifying("presigned GET", PATH, presigned, HOST | MORE),
    ]


def decodings() -> list[Figure]:
    figures = []
    for size in (64 * 1024, 1024 * 1024):
        chunk = b"x" * size
        chunks = [chunk] * (TOTAL // size)
        framed = b"".join(b"%x\r\n%b\r\n" % (size, chunk) for chunk in chunks) + b"0\r\n\r\n"
        body = b"".join(sign_chunks(SIGNER.seed(SEEDED), chunks))
        label = f"chunks of {size // 1024} KiB"
        figures += [
            decoding(f"unsigned, {label}", UNSIGNED_TRAILER, framed),
            decoding(f"signed, {label}", SIGNED, body),
        ]
    return figures


if __name__ == "__main__":
    publish("sigv4", [*verifications(), *decodings()])
