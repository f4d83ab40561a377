"""Whether a port can be had, told in words."""

import errno
import socket

from vexobj_server.settings import Bind, SettingsError


def free_address(bind: Bind) -> str:
    """The address to listen on. A second server on the port would go unnoticed (SO_REUSEPORT).

    Raises: SettingsError.
    """
    try:
        family, kind, _, _, target = socket.getaddrinfo(
            bind.host, bind.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
    except OSError as error:
        reason = {
            errno.EADDRINUSE: "another program listens there already",
            errno.EACCES: "this user may not listen there (ports below 1024 need a privilege)",
        }.get(error.errno or 0, error.strerror)
        raise SettingsError(f"server.bind: cannot listen on {bind}: {reason}.") from None
    return str(target[0])
