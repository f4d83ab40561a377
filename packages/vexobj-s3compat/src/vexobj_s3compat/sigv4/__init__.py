"""AWS Signature Version 4 for S3: verifying, signing, and the aws-chunked framing. No I/O."""

from vexobj_s3compat.sigv4.pending import PendingAuth, Scope, Verified
from vexobj_s3compat.sigv4.verifier import parse

__all__ = ["PendingAuth", "Scope", "Verified", "parse"]
