"""The one thing that can be wrong with settings: a sentence that names the key."""


class SettingsError(Exception):
    """Stops the start. The message is one sentence for the operator."""
