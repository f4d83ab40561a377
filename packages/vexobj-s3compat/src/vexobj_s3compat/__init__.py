"""The S3 protocol as an ASGI app over a backend interface."""
