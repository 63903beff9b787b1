"""Find a free TCP port on this machine."""

import errno
import socket

from .say import Failure

HOST = "127.0.0.1"


def is_free(port):
    """Return whether a server could listen on ``port``."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def next_free(port, tries=50):
    """Return ``port`` or the next one above it that is free."""
    for candidate in range(port, port + tries):
        if is_free(candidate):
            return candidate
    raise Failure(
        f"No port between {port} and {port + tries - 1} is free.",
        "Stop a program that listens there ('ss -ltnp' lists them) and try again.",
    )
