"""vexobjctl, the VexObj command line."""
