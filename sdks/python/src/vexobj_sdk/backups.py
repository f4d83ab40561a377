"""The client's calls about backups of the whole server."""

from vexobj_sdk.connection import Connection
from vexobj_sdk.models import Backup, BackupStatus

_PATH = "/v1/admin/backup"


class BackupCalls(Connection):
    def create_backup(self) -> Backup:
        """Make a backup, and wait for its end. Raises Conflict while another one is made."""
        return self._json(Backup.parse, "POST", _PATH, timeout=None)

    def start_backup(self) -> None:
        """Have a backup made; `get_backups` tells how far it is. Raises as `create_backup`."""
        self._request("POST", _PATH, params={"wait": "false"})

    def get_backups(self) -> BackupStatus:
        return self._json(BackupStatus.parse, "GET", _PATH)
