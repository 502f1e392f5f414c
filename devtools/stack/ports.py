"""Ports on loopback."""

import socket

HOST = "127.0.0.1"
LAST = 65535


class PortTakenError(RuntimeError):
    """Another process uses the port; the text names the variable to set."""


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # A port in TIME_WAIT is free for a new listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def require_free(variable: str, port: int) -> None:
    # Raises PortTakenError.
    if not is_free(port):
        other = port + 1000 if port < LAST - 1000 else port - 1000
        raise PortTakenError(f"Port {port} is taken. Choose another: {variable}={other} make up")
