"""Decoding behind one broker process: its supervisor in the parent, its client in the workers."""
