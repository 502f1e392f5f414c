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

SINGLE, TASK, CHUNK, BATCH = "mailroom single", "mailroom task", "mailroom chunk", "mailroom batch"
# At 100 ms waiting decides, so that they may send as many at the same time as BullMQ does.
MANY = 50
PREFORK = 10
NAIVE = f"celery x{PREFORK}"
UNRENDERED = ", no rendering"


def contestants() -> list[Contestant]:
    """Return them all; installs what is missing. Raises InstallError."""
    python, node = environment.python(), environment.node()
    return [*ours(), *python_peers(python), *(bullmq(node, python) if node else [])]


def ours() -> Iterator[Mailroom]:
    # Messages enqueued in chunks are not single messages, so their waits are not measured.
    yield Mailroom(name=SINGLE, way="single", delays_ms=(0,))
    yield Mailroom(name=TASK, way="task", delays_ms=(0,))
    yield Mailroom(name=CHUNK, way="chunk", delays_ms=(0,), resident=False)
    yield Mailroom(name=f"{CHUNK} at most once", way="news", delays_ms=(0,), resident=False, is_main=False)
    yield Mailroom(name=BATCH, way="batch", delays_ms=(0,), resident=False, times=5)
    yield Mailroom(name=f"{SINGLE} x{MANY}", way="single", delays_ms=(100,), sends=MANY)
    # Its calls carry hundreds of emails, so that the delay hardly matters.
    yield Mailroom(name=f"{BATCH} x{MANY}", way="batch", delays_ms=(100,), sends=MANY, resident=False, is_main=False)


def python_peers(python: Path) -> Iterator[PythonPeer]:
    celery = CeleryPeer(name=NAIVE, peer="celery", python=python, sends=PREFORK, delays_ms=(0,), is_main=False)
    mailer = CommandPeer(name="django-mailer", peer="mailer", python=python, sends=1, delays_ms=(0,), is_main=False)
    yield celery
    yield unrendered(celery)
    yield replace(celery, name=f"{celery.name} persistent", is_persistent=True, delays_ms=(0, 100), is_main=True)
    yield replace(celery, name=f"celery-email x{PREFORK}", peer="celery-email")
    yield mailer
    yield unrendered(mailer)
    yield replace(post_office(python, processes=1, threads=5), is_main=False)
    fastest = post_office(python, processes=2, threads=5)
    yield fastest
    yield unrendered(fastest)
    yield replace(post_office(python, processes=2, threads=MANY // 2), delays_ms=(100,), is_main=False)


def post_office(python: Path, *, processes: int, threads: int) -> CommandPeer:
    return CommandPeer(
        name=f"post_office {processes}x{threads}",
        peer="post_office",
        python=python,
        processes=processes,
        threads=threads,
        sends=processes * threads,
        delays_ms=(0,),
    )


def unrendered(peer: PythonPeer) -> PythonPeer:
    return replace(peer, name=peer.name + UNRENDERED, renders=False, delays_ms=(0,), is_main=False)


def bullmq(folder: Path, python: Path) -> Iterator[BullMQ]:
    content = environment.FOLDER / "content.json"
    command = python_module("peers.content", python)
    content.write_bytes(subprocess.run(command, cwd=BASE_DIR, capture_output=True, check=True).stdout)
    peer = BullMQ(name=f"bullmq x{MANY}", folder=folder, content=content, sends=MANY, times=2)
    yield peer
    yield replace(peer, name="bullmq x10", sends=10, delays_ms=(0,), is_main=False)
