"""Images transformed and media probed, within limits."""
