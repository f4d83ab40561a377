"""The client's calls about stored bytes that are not as they were put any more."""

from vexobj_sdk.connection import Connection, given
from vexobj_sdk.models import Scrub

_PATH = "/v1/admin/scrub"


class ScrubCalls(Connection):
    def get_scrub(self, *, after: str | None = None, limit: int = 100) -> Scrub:
        """How far scrub is, and a page of what it has found."""
        return self._json(Scrub.parse, "GET", _PATH, params=given(after=after, limit=limit))

    def start_scrub(self, *, dry_run: bool = False, accept_losses: bool = False) -> Scrub:
        """Have all stored bytes read, in the background; one under way goes on.

        A dry run puts nothing in quarantine. `accept_losses` for one that is halted because very
        many blobs are missing together: they are gone.
        """
        body = {"dry_run": dry_run, "accept_losses": accept_losses}
        return self._json(Scrub.parse, "POST", _PATH, json=body)

    def release_finding(self, blob_id: str) -> bool:
        """Have it read again; whether it is whole by now, and out of quarantine."""
        path = f"{_PATH}/findings/{blob_id}/release"
        return self._json(lambda data: bool(data["released"]), "POST", path)
