"""What holds for the tests of every package."""

from hypothesis import settings

# An example that is slow on a busy machine is no failure: no test here asserts a time.
settings.register_profile("vexobj", deadline=None)
settings.load_profile("vexobj")
