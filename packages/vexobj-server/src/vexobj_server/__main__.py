"""The `vexobj` command: reads its arguments and hands over."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

from vexobj_server.settings import SettingsError
from vexobj_server.settings.loading import CONFIG_VARIABLE

Command = Callable[[argparse.Namespace], int]

_EXIT_SETTINGS = 2
_EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 failed, 2 wrong arguments or settings."""
    options = _parser().parse_args(arguments)
    if options.config:
        os.environ[CONFIG_VARIABLE] = options.config
    command: Command = options.command
    try:
        return command(options)
    except SettingsError as error:
        print(f"vexobj: {error}", file=sys.stderr)  # noqa: T201 - the one line a start ends with
        return _EXIT_SETTINGS
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vexobj",
        description="An S3-compatible media store in one process.",
        epilog="Without a command the server is started. Settings: vexobj config reference",
    )
    parser.add_argument("--version", action="version", version=f"vexobj {version('vexobj-server')}")
    parser.add_argument("--config", metavar="FILE", help="settings file (default: ./config.toml)")
    parser.set_defaults(command=_serve)
    commands = parser.add_subparsers(title="commands", metavar="")
    _add(commands, "serve", _serve, "start the server")
    config = commands.add_parser("config", help="check the settings, or describe them")
    what = config.add_subparsers(title="commands", metavar="", required=True)
    _add(what, "check", _config_check, "read all settings and say what is wrong")
    _add(what, "reference", _config_reference, "print the reference page of all settings")
    blobs = commands.add_parser("blobs", help="look after the stored bytes")
    what = blobs.add_subparsers(title="commands", metavar="", required=True)
    move = _add(what, "move", _blobs_move, "bring all blobs to where storage.backend says")
    move.add_argument(
        "--no-read-back",
        dest="read_back",
        action="store_false",
        help="trust the checksums of the transfer instead of reading each copy again",
    )
    _add(commands, "openapi", _openapi, "print the contract of the native API")
    _add(commands, "doctor", _doctor, "look for what could go wrong on this machine")
    _backup_commands(commands)
    rekey = commands.add_parser("rekey", help="new keys for what is encrypted")
    rekey.set_defaults(command=_rekey)
    how = rekey.add_mutually_exclusive_group()
    how.add_argument("--rewrite", action="store_true", help="store everything again, as new")
    how.add_argument("--status", action="store_true", help="say how far rewriting is")
    return parser


def _backup_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    backup = _add(commands, "backup", _backup, "make a backup of everything")
    backup.add_argument("--keep", type=int, metavar="N", help="remove all but the newest N")
    backup.add_argument("--with-secrets", action="store_true", help="put the keys into it")
    what = backup.add_subparsers(title="commands", metavar="")
    shown = _add(what, "list", _backup_list, "show the backups that can be restored")
    verified = _add(what, "verify", _backup_verify, "read a whole backup")
    restored = _add(commands, "restore", _restore, "make a store of a backup")
    for parser in (verified, restored):
        parser.add_argument("name", nargs="?", help="which backup (default: the newest)")
    place = "where backups are (default: backup.directory)"
    for parser in (backup, restored):
        parser.add_argument("--directory", metavar="DIR", help=place)
    for parser in (shown, verified):  # what was said before the subcommand holds
        parser.add_argument("--directory", metavar="DIR", help=place, default=argparse.SUPPRESS)
    restored.add_argument(
        "--accept-damage", action="store_true", help="restore what is left of a damaged backup"
    )
    restored.add_argument(
        "--force", action="store_true", help="move what is in the data directory aside first"
    )


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    command: Command,
    help_text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(command=command)
    return parser


# Each command imports what it needs: `vexobj --help` need not wait for a web server.


def _serve(_options: argparse.Namespace) -> int:
    from vexobj_server.commands.serve import serve

    return serve(os.environ)


def _config_check(_options: argparse.Namespace) -> int:
    from vexobj_server.commands.config import check

    return check(os.environ)


def _config_reference(_options: argparse.Namespace) -> int:
    from vexobj_server.commands.config import reference

    return reference()


def _blobs_move(options: argparse.Namespace) -> int:
    from vexobj_server.commands.blobs import move

    return move(os.environ, read_back=options.read_back)


def _openapi(_options: argparse.Namespace) -> int:
    from vexobj_server.commands.openapi import print_openapi

    return print_openapi()


def _doctor(_options: argparse.Namespace) -> int:
    from vexobj_server.commands.doctor import doctor

    return doctor(os.environ)


def _backup(options: argparse.Namespace) -> int:
    from vexobj_server.commands.backup import back_up

    return back_up(
        os.environ,
        directory=options.directory,
        keep=options.keep,
        with_secrets=options.with_secrets,
    )


def _backup_list(options: argparse.Namespace) -> int:
    from vexobj_server.commands.backup import show

    return show(os.environ, directory=options.directory)


def _backup_verify(options: argparse.Namespace) -> int:
    from vexobj_server.commands.backup import verify

    return verify(os.environ, directory=options.directory, name=options.name)


def _restore(options: argparse.Namespace) -> int:
    from vexobj_server.commands.restore import restore_backup

    return restore_backup(
        os.environ,
        directory=options.directory,
        name=options.name,
        accept_damage=options.accept_damage,
        force=options.force,
    )


def _rekey(options: argparse.Namespace) -> int:
    from vexobj_server.commands import rekey

    if options.rewrite:
        return rekey.rewrite(os.environ)
    if options.status:
        return rekey.status(os.environ)
    return rekey.rekey(os.environ)


if __name__ == "__main__":
    sys.exit(main())
