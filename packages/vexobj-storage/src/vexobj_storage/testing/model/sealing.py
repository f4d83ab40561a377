"""Rules of a store that seals: now and then there is a new root key, and some is rewritten."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from vexobj_storage.testing.model.machine import Machine


class SealingRules(Machine):
    @rule(steps=st.integers(1, 8))
    def rewrite(self, steps: int) -> None:
        self.run(self.store._keys.add(0))  # noqa: SLF001 - as an operator who will not wait
        self.run(self.store.start_rewriting())
        for _ in range(steps):
            self.run(self.store.rewrite_some())
