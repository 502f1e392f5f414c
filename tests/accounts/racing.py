"""Run posts that reach the same statement together, in real threads and transactions."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from http.cookies import SimpleCookie
from threading import Barrier
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client

# Generous for a busy machine. A test waits this long only when it fails.
PATIENCE_S = 60


def tab(of: Client) -> Client:
    """Return another tab of the same browser, with a copy of its cookies."""
    client = Client()
    client.cookies = SimpleCookie()
    client.cookies.update(deepcopy(of.cookies))
    return client


def together(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all at the same time, in threads with separate database connections; return their results."""

    def one(act: Callable[[], Any]) -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(one, acts, timeout=PATIENCE_S))


def post_together(posts: Sequence[tuple[Client, str, dict[str, str]]]) -> list[HttpResponse]:
    return together([partial(client.post, path, fields) for client, path, fields in posts])


@contextmanager
def held_until_all_are_there(monkeypatch: Any, owner: Any, name: str, number: int) -> Iterator[None]:
    """Block the first `number` calls of `owner.name` until all of them have started."""
    barrier = Barrier(number, timeout=PATIENCE_S)
    called = getattr(owner, name)
    left = iter(range(number))

    def held(*args: Any, **kwargs: Any) -> Any:
        if next(left, None) is not None:
            barrier.wait()
        return called(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, held)
        yield
