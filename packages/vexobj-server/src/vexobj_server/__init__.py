"""VexObj: an S3-compatible media store in one process.

A program rather than a library: `python -m vexobj_server` or `vexobj`. What is meant for others is
`vexobj_server.testing`, which starts a server for tests.
"""

__all__: list[str] = []
