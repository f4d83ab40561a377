"""Native object bytes, as raw ASGI endpoints."""
