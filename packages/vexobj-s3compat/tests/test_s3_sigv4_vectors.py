"""The examples that AWS publishes for S3: bucket examplebucket, 24 May 2013."""

from calendar import timegm

import pytest

from vexobj_s3compat.errors import SignatureDoesNotMatch
from vexobj_s3compat.sigv4 import Verified, parse
from vexobj_s3compat.sigv4.chunked import (
    SIGNED,
    SIGNED_TRAILER,
    ChunkedDecoder,
    Data,
    End,
    Trailers,
)
from vexobj_s3compat.sigv4.keys import signing_key
from vexobj_s3compat.sigv4.signer import sign_chunks

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
NOW = timegm((2013, 5, 24, 0, 0, 0))
HOST = "examplebucket.s3.amazonaws.com"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SCOPE = "20130524/us-east-1/s3/aws4_request"
CREDENTIAL = f"AKIAIOSFODNN7EXAMPLE/{SCOPE}"
TIME = "20130524T000000Z"


def signed(names: str, signature: str, **headers: str) -> dict[str, str]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "host": HOST,
        "x-amz-date": TIME,
        "x-amz-content-sha256": EMPTY,
        "authorization": f"AWS4-HMAC-SHA256 Credential={CREDENTIAL},"
        f"SignedHeaders={names},Signature={signature}",
        **given,
    }


VECTORS = {
    "GET object": (
        "GET",
        b"/test.txt",
        b"",
        signed(
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            range="bytes=0-9",
        ),
    ),
    "PUT object": (
        "PUT",
        b"/test$file.text",
        b"",
        signed(
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            date="Fri, 24 May 2013 00:00:00 GMT",
            x_amz_storage_class="REDUCED_REDUNDANCY",
            x_amz_content_sha256="44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        ),
    ),
    "GET lifecycle": (
        "GET",
        b"/",
        b"lifecycle",
        signed(
            "host;x-amz-content-sha256;x-amz-date",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
    ),
    "list objects": (
        "GET",
        b"/",
        b"prefix=J&max-keys=2",
        signed(
            "host;x-amz-content-sha256;x-amz-date",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ),
    "presigned GET": (
        "GET",
        b"/test.txt",
        (
            b"X-Amz-Algorithm=AWS4-HMAC-SHA256"
            b"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            b"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            b"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        ),
        {"host": HOST},
    ),
    "chunked PUT": (
        "PUT",
        b"/examplebucket/chunkObject.txt",
        b"",
        signed(
            "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
            "x-amz-decoded-content-length;x-amz-storage-class",
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
            host="s3.amazonaws.com",
            content_encoding="aws-chunked",
            content_length="66824",
            x_amz_decoded_content_length="66560",
            x_amz_storage_class="REDUCED_REDUNDANCY",
            x_amz_content_sha256=SIGNED,
        ),
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_published_signature_verifies(name: str) -> None:
    method, path, query, headers = VECTORS[name]
    pending = parse(method, path, query, headers, now=NOW, region="us-east-1")
    assert pending is not None
    assert pending.access_key_id == "AKIAIOSFODNN7EXAMPLE"
    assert pending.verify(SECRET).scope == SCOPE
    with pytest.raises(SignatureDoesNotMatch) as caught:
        pending.verify("another")
    assert caught.value.fields["StringToSign"].startswith(f"AWS4-HMAC-SHA256\n{TIME}\n{SCOPE}\n")
    assert caught.value.fields["CanonicalRequest"].startswith(f"{method}\n")


def seed(signature: str) -> Verified:
    return Verified(signing_key(SECRET, "20130524", "us-east-1", "s3"), TIME, SCOPE, signature)


CHUNKS = [b"a" * 65536, b"a" * 1024]
PLAIN_SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
TRAILER_SEED = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"


def test_published_chunks() -> None:
    body = b"".join(sign_chunks(seed(PLAIN_SEED), CHUNKS))
    for signature in (
        b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        b"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        b"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ):
        assert signature in body
    assert len(body) == 66824
    decoder = ChunkedDecoder(SIGNED, seed(PLAIN_SEED), decoded_length=66560)
    events = [*decoder.feed(body), *decoder.close()]
    assert b"".join(e.data for e in events if isinstance(e, Data)) == b"a" * 66560
    assert events[-1] == End()


def test_published_trailer() -> None:
    trailers = {"x-amz-checksum-crc32c": "sOO8/Q=="}
    body = b"".join(sign_chunks(seed(TRAILER_SEED), CHUNKS, trailers))
    for signature in (
        b"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        b"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        b"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
        b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
    ):
        assert signature in body
    decoder = ChunkedDecoder(
        SIGNED_TRAILER, seed(TRAILER_SEED), trailers=trailers, decoded_length=66560
    )
    events = [*decoder.feed(body), *decoder.close()]
    assert events[-2:] == [Trailers(trailers), End()]
