"""What Signature Version 4 and aws-chunked cost on one core: figures only, best of a few runs."""

import time
from collections.abc import Callable

from vexobj_s3compat.sigv4 import parse
from vexobj_s3compat.sigv4.chunked import SIGNED, UNSIGNED_TRAILER, ChunkedDecoder
from vexobj_s3compat.sigv4.signer import Signer, sign_chunks

NOW = 1_800_000_000.0
SIGNER = Signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HOST = {"host": "127.0.0.1:9000"}
MORE = {"user-agent": "benchmark/1", "accept-encoding": "identity", "amz-sdk-request": "attempt=1"}
PATH = b"/media/cache/accounts/avatars/111/111/111/original/photo.jpg"
ROUNDS = 5
PIECE = 320 * 1024


def best(work: Callable[[], None]) -> float:
    """Seconds of CPU of the quickest round."""
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def verifications(name: str, path: bytes, query: bytes, headers: dict[str, str]) -> None:
    count = 20_000

    def work() -> None:
        for _ in range(count):
            pending = parse("GET", path, query, headers, now=NOW, region="us-east-1")
            if pending is None:
                raise AssertionError(name)
            pending.verify(SIGNER.secret_access_key)

    seconds = best(work)
    print(f"{name:36} {count / seconds:>10,.0f}/s  {seconds / count * 1e6:6.2f} us")


def decoding(name: str, form: str, body: bytes) -> None:
    pieces = [body[at : at + PIECE] for at in range(0, len(body), PIECE)]
    seed = SIGNER.seed(SEEDED) if form == SIGNED else None

    def work() -> None:
        decoder = ChunkedDecoder(form, seed)
        for piece in pieces:
            for _ in decoder.feed(piece):
                pass
        for _ in decoder.close():
            pass

    print(f"{name:36} {len(body) / best(work) / 1e9:>10.2f} GB/s")


SEEDED = SIGNER.sign("PUT", PATH, b"", HOST, now=NOW, payload_hash=SIGNED)


def main() -> None:
    listing = b"list-type=2&prefix=cache%2Faccounts%2F&delimiter=%2F&max-keys=1000"
    signed = SIGNER.sign("GET", PATH, b"", HOST, now=NOW) | MORE
    verifications("header, GET of an object", PATH, b"", signed)
    signed = SIGNER.sign("GET", b"/media", listing, HOST, now=NOW) | MORE
    verifications("header, listing", b"/media", listing, signed)
    signed = SIGNER.sign("GET", b"/media/a%20b%2B%C3%BC.jpg", b"", HOST, now=NOW) | MORE
    verifications("header, key with escapes", b"/media/a%20b%2B%C3%BC.jpg", b"", signed)
    query = SIGNER.presign("GET", PATH, b"", HOST, now=NOW, expires_seconds=3600)
    verifications("presigned GET", PATH, query, HOST | MORE)
    for size in (64 * 1024, 1024 * 1024):
        chunk = b"x" * size
        chunks = [chunk] * (64 * 1024 * 1024 // size)
        label = f"{size // 1024} KiB chunks"
        framed = b"".join(b"%x\r\n%b\r\n" % (size, chunk) for chunk in chunks) + b"0\r\n\r\n"
        decoding(f"unsigned, {label}", UNSIGNED_TRAILER, framed)
        body = b"".join(sign_chunks(SIGNER.seed(SEEDED), chunks))
        decoding(f"signed, {label}", SIGNED, body)


if __name__ == "__main__":
    main()
