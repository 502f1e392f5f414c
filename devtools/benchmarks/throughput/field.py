"""All contestants of the benchmark."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from config.environment import BASE_DIR
from devtools.benchmarks.throughput import environment
from devtools.benchmarks.throughput.contestant import Contestant, python_module
from devtools.benchmarks.throughput.mailroom import Mailroom
from devtools.benchmarks.throughput.peer_contestants import BullMQ, CeleryPeer, CommandPeer, PythonPeer

SINGLE, CHUNK = "mailroom single", "mailroom chunk"
# At 100 ms waiting decides, so that they may send as many at the same time as BullMQ does.
MANY = 50
PREFORK = 10
UNRENDERED = ", no rendering"


def contestants() -> list[Contestant]:
    """Return them all; installs what is missing. Raises InstallError."""
    python, node = environment.python(), environment.node()
    return [*ours(), *python_peers(python), *(bullmq(node, python) if node else [])]


def ours() -> Iterator[Mailroom]:
    for name, way in ((SINGLE, "single"), (CHUNK, "chunk")):
        # Messages enqueued in chunks are not single messages.
        resident = way == "single"
        yield Mailroom(name=name, way=way, delays_ms=(0,), resident=resident)
        yield Mailroom(name=f"{name} x{MANY}", way=way, delays_ms=(100,), sends=MANY, resident=resident)


def python_peers(python: Path) -> Iterator[PythonPeer]:
    for peer in _rendering(python):
        yield peer
        if 0 in peer.delays_ms:
            yield replace(peer, name=peer.name + UNRENDERED, renders=False, delays_ms=(0,))


def _rendering(python: Path) -> Iterator[PythonPeer]:
    yield CeleryPeer(name=f"celery x{PREFORK}", peer="celery", python=python, sends=PREFORK)
    yield CeleryPeer(name=f"celery-email x{PREFORK}", peer="celery-email", python=python, sends=PREFORK)
    yield CommandPeer(name="django-mailer", peer="mailer", python=python, sends=1)
    for processes, threads, delay_ms in ((1, 5, 0), (2, 5, 0), (2, MANY // 2, 100)):
        yield CommandPeer(
            name=f"post_office {processes}x{threads}",
            peer="post_office",
            python=python,
            processes=processes,
            threads=threads,
            sends=processes * threads,
            delays_ms=(delay_ms,),
        )


def bullmq(folder: Path, python: Path) -> Iterator[BullMQ]:
    content = environment.FOLDER / "content.json"
    command = python_module("peers.content", python)
    content.write_bytes(subprocess.run(command, cwd=BASE_DIR, capture_output=True, check=True).stdout)
    for sends, delays_ms in ((10, (0,)), (MANY, (0, 100))):
        yield BullMQ(name=f"bullmq x{sends}", folder=folder, content=content, sends=sends, delays_ms=delays_ms)
