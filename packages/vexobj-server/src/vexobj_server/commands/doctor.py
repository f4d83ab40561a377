"""`vexobj doctor`: looks for what could go wrong on this machine, without changing anything."""

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from vexobj_server.bootstrap import CREDENTIALS_FILE, SECRET_FILE
from vexobj_server.commands.blobservice import check_blob_service
from vexobj_server.commands.databases import check_database
from vexobj_server.commands.findings import Check, Finding, Verdict
from vexobj_server.commands.listening import free_address
from vexobj_server.settings import Settings, SettingsError, load_settings

_LEAST_FREE = 1024**3
_BUILT = 1_750_000_000  # a clock that is before this was never set
_PILLOW_MENDED = (12, 3)


def doctor(environment: Mapping[str, str]) -> int:
    """0 when nothing stands in the way of a start, 1 otherwise. Raises: SettingsError."""
    loaded = load_settings(environment)
    findings = [Finding(Verdict.WARNING, warning) for warning in loaded.warnings]
    for check in _CHECKS:
        findings += check(loaded.settings)
    for finding in findings:
        sys.stdout.write(f"{finding.verdict.value:>8}  {finding.sentence}\n")
    return 1 if any(each.verdict is Verdict.FAILURE for each in findings) else 0


def check_data_dir(settings: Settings) -> Iterator[Finding]:
    data_dir = settings.storage.data_dir
    place = _existing(data_dir)
    if not place.is_dir() or not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(Verdict.FAILURE, f"{place} is no directory that this user may write.")
        return
    if not data_dir.exists():
        yield Finding(Verdict.FINE, f"{data_dir} is not there yet; the first start makes it.")
        return
    yield Finding(Verdict.FINE, f"{data_dir} may be written.")
    for name in (SECRET_FILE, CREDENTIALS_FILE):
        yield from _private(data_dir / name)


def _existing(path: Path) -> Path:
    """The path, or else what there already is of the way to it."""
    return next(place for place in (path, *path.parents) if place.exists())


def _private(path: Path) -> Iterator[Finding]:
    if path.exists() and path.stat().st_mode & 0o077:
        yield Finding(Verdict.WARNING, f"{path} can be read by others: chmod 600 {path}")


def check_space(settings: Settings) -> Iterator[Finding]:
    place = _existing(settings.storage.data_dir.absolute())
    free = shutil.disk_usage(place).free
    verdict = Verdict.FINE if free >= _LEAST_FREE else Verdict.WARNING
    yield Finding(verdict, f"{free / 1024**3:.1f} GiB are free at {place}.")


def check_images(_settings: Settings) -> Iterator[Finding]:
    from PIL import Image, features

    pillow = str(getattr(Image, "__version__", "0"))
    codecs = (("libwebp", features.version("webp")), ("libavif", features.version("avif")))
    found = ", ".join(f"{name} {codec}" for name, codec in codecs if codec is not None)
    if tuple(map(int, pillow.split(".")[:2])) < _PILLOW_MENDED:
        yield Finding(
            Verdict.WARNING,
            f"Pillow {pillow} has holes in its decoders that 12.3 has not: upgrade it.",
        )
    if features.check("avif") or _installed("pillow-avif-plugin"):
        yield Finding(Verdict.FINE, f"Pillow {pillow}, with AVIF: {found}.")
    else:
        yield Finding(Verdict.WARNING, f"Pillow {pillow} has no AVIF: install pillow-avif-plugin.")


def check_clock(_settings: Settings) -> Iterator[Finding]:
    if time.time() < _BUILT:
        yield Finding(Verdict.FAILURE, "The clock is years behind; signatures cannot be checked.")
    else:
        shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        yield Finding(Verdict.FINE, f"The clock says {shown}; S3 clients allow 15 minutes.")


def check_port(settings: Settings) -> Iterator[Finding]:
    try:
        free_address(settings.server.bind)
    except SettingsError as error:
        yield Finding(Verdict.WARNING, str(error))
    else:
        yield Finding(Verdict.FINE, f"{settings.server.bind} is free.")


def check_tls(settings: Settings) -> Iterator[Finding]:
    tls = settings.tls
    if not tls.enabled or tls.cert_path is None or tls.key_path is None:
        return
    for path in (tls.cert_path, tls.key_path):
        if not os.access(path, os.R_OK):
            yield Finding(Verdict.FAILURE, f"{path} cannot be read.")
    yield from _private(tls.key_path)


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


_CHECKS: tuple[Check, ...] = (
    check_data_dir,
    check_space,
    check_database,
    check_blob_service,
    check_images,
    check_clock,
    check_port,
    check_tls,
)
