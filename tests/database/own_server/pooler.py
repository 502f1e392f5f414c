"""PgBouncer in transaction mode in front of a server of the tests: every transaction gets another session."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from devtools.stack.ports import free_port
from devtools.stack.postgres import Postgres

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SESSIONS = 3
CONFIG = """
[databases]
mailroom = host=127.0.0.1 port={server_port} dbname=mailroom user=mailroom password={password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
server_round_robin = 1
{user}
"""


@contextmanager
def pooler(server: Postgres, folder: Path) -> Iterator[int]:
    """Run PgBouncer and yield its port."""
    assert PROGRAM is not None
    port, config = free_port(), folder / "pgbouncer.ini"
    # It refuses to run as root.
    user = "user = nobody" if os.geteuid() == 0 else ""
    config.write_text(
        CONFIG.format(server_port=server.port, password=server.password, port=port, user=user, sessions=SESSIONS)
    )
    process = subprocess.Popen([PROGRAM, "-q", str(config)])
    try:
        _wait_for(port, process)
        _open_every_session(port)
        yield port
    finally:
        process.terminate()
        process.wait(100)


def _open_every_session(port: int) -> None:
    """Open as many transactions together as the pool has sessions, so that it opens all of them."""
    with ExitStack() as stack:
        for _ in range(SESSIONS):
            client = psycopg.connect(host="127.0.0.1", port=port, user="mailroom", dbname="mailroom")
            stack.enter_context(client).execute("SELECT 1")


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 100
    while time.monotonic() < until:
        assert process.poll() is None, "PgBouncer has ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("PgBouncer does not listen")
