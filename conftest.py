"""What holds for the tests of every package."""

from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import settings

# An example that is slow on a busy machine is no failure: no test here asserts a time.
settings.register_profile("vexobj", deadline=None)
settings.load_profile("vexobj")

# Nor is an answer that takes more than httpx's five seconds: this one object is its default.
for phase in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, phase, 60.0)
