"""The official Python client of VexObj."""
