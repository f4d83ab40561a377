"""Where a server keeps what it is told, and whether all of that is whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from support.endpoint import Endpoint
from vexobj_server.testing import RunningServer, start_server
from vexobj_storage import MasterKey, ObjectStore, StoreConfig
from vexobj_storage.testing import invariants

_ZERO = timedelta(0)


@dataclass(frozen=True)
class Site:
    """Outlives the servers that are started on it, two workers each."""

    data_dir: Path
    metadata_url: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> RunningServer:
        metadata = {} if self.metadata_url is None else {"VEXOBJ_METADATA_URL": self.metadata_url}
        return start_server(self.data_dir, workers=2, environment={**self.settings, **metadata})

    async def open(self) -> ObjectStore:
        """The store beside the server or after it, which collects garbage without grace."""
        key = self.settings.get("VEXOBJ_SSE_MASTER_KEY")
        config = StoreConfig(
            self.data_dir,
            self.metadata_url,
            gc_grace=_ZERO,
            master_keys=() if key is None else (MasterKey(bytes.fromhex(key)),),
            encrypt=key is not None,
        )
        return await ObjectStore.open(config)

    async def no_orphans(self) -> None:
        """After a collection without grace, on disk is exactly what the metadata names."""
        store = await self.open()
        try:
            while (report := await store.collect_garbage()).removed or report.condemned:
                pass
            await store.sweep_orphans(_ZERO)
            assert not await invariants(store)
        finally:
            await store.close()


def endpoint_of(server: RunningServer) -> Endpoint:
    return Endpoint.of(server)
