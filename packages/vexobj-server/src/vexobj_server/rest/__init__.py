"""The typed JSON surface of the native API."""
