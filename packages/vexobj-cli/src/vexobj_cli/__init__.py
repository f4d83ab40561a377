"""vexobjctl, the VexObj command line: everything through the SDK, nothing of the server's own."""

__all__: list[str] = []
