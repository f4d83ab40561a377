"""The schema's history, one revision a file in `versions`; the head equals metadata/tables.py.

`python -m vexobj_storage.migrations "add a column"` drafts the revision that is missing.
"""
