"""The store's keys, and what is done when they change."""

from vexobj_storage.content import Content


class Encryption(Content):
    async def rewrap_keys(self) -> int:
        """Wrap all root keys by the first master key; how many were wrapped by another.

        No content is touched. Raises: KeyUnavailable, and then nothing has changed.
        """
        return await self._keys.rewrap()

    async def refresh_keys(self) -> None:
        """Learn of root keys that other processes have made; the newest seals new content."""
        await self._keys.refresh()

    def derived_key(self, purpose: str) -> bytes | None:
        """A key of 32 bytes for what a caller keeps beside the store; None if nothing is sealed."""
        current = self._keys.current
        return None if current is None else current.derive(purpose)
