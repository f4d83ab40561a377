"""The package's public face."""

import vexobj_s3compat


def test_public_names() -> None:
    assert vexobj_s3compat.__all__ == [
        "Body",
        "BytesContent",
        "Caller",
        "Content",
        "Credential",
        "Credentials",
        "Hasher",
        "IncompletePayload",
        "MemoryBackend",
        "MemoryCredentials",
        "PartRange",
        "Payload",
        "Request",
        "Response",
        "S3App",
        "S3Backend",
        "S3Error",
        "Signer",
        "VirtualHosts",
        "respond",
        "serve_content",
    ]
    assert sorted(vexobj_s3compat.__all__) == vexobj_s3compat.__all__
    assert all(hasattr(vexobj_s3compat, name) for name in vexobj_s3compat.__all__)
