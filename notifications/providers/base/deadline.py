"""Limit the total time of a provider call by shutting down its connection."""

import math
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from urllib3.connection import HTTPConnection

from notifications.conf import settings

# A thread cannot be interrupted, and the libraries' own limits are per read: an answer that dribbles would hold its
# thread forever. So every provider connection is watched, and one thread per process shuts down those of a call that is
# past its end. The library then sees its connection break, and sends nothing more over it.

# Between the hand-over and the call, and between the deadline and the moment the thread has noticed it.
CALL_MARGIN_S = 2.0


def call_s() -> float:
    # A claim with less time left than this must not be handed over.
    return float(settings.PROVIDER_DEADLINE_S) + CALL_MARGIN_S


class WatchedSocket:
    """A watched connection: a second descriptor of the same socket.

    The library's descriptor number can be closed and given to another connection at any moment, and no library object
    holds a socket whose TLS handshake hangs.
    """

    def __init__(self, connection: socket.socket, owner: "_Owner") -> None:
        self._copy = socket.fromfd(connection.fileno(), connection.family, connection.type)
        self._owner = owner
        self._is_shut = False
        self._is_released = False
        # True as soon as some of a mail could have gone over it.
        self.may_have_carried = False

    def is_ready(self) -> None:
        # The connection stands. One that was shut down before carries nothing.
        self.may_have_carried = not self._is_shut

    def release(self) -> None:
        """Report that the library is done with the connection.

        Within a call its answer may still be read from it. Safe in a finalizer, which may run at any allocation, also
        while this thread holds the watch's lock.
        """
        self._is_released = True
        _watch.forget(self._owner)

    def shut(self) -> None:
        self._is_shut = True
        # The other end may have closed it already.
        with suppress(OSError):
            self._copy.shutdown(socket.SHUT_RDWR)

    def close_if_released(self) -> bool:
        if self._is_released:
            self._copy.close()
        return self._is_released


class Call:
    """One provider call. `is_over` is final once the call has been left."""

    def __init__(self, owner: "_Owner", ends_at: float) -> None:
        self.owner = owner
        self.ends_at = ends_at
        self.is_over = False
        # True from the moment at which a library was given the finished request: what it raises before is no answer.
        self.has_begun = False
        # The connections that were made or used in this call. Others of the thread, to other providers, prove nothing.
        self.sockets: set[WatchedSocket] = set()

    def carried_nothing(self) -> bool:
        """Return whether no connection of this call can have carried a request.

        Ask within the call. A call without connections proves nothing.
        """
        return bool(self.sockets) and not any(watched.may_have_carried for watched in self.sockets)

    def end(self) -> None:
        self.is_over = True
        for watched in self.owner.sockets:
            watched.shut()


class _Owner:
    """One thread's connections, and its current call."""

    def __init__(self) -> None:
        self.sockets: set[WatchedSocket] = set()
        self.call: Call | None = None

    def forget_released(self) -> None:
        self.sockets = {watched for watched in self.sockets if not watched.close_if_released()}


class _Here(threading.local):
    def __init__(self) -> None:
        self.owner = _Owner()


class _Watch:
    """The calls of this process and the thread that ends the late ones.

    Everything happens under one lock, also the shutting down: a call that was left is not ended, and the next one on
    the same connection cannot be mistaken for it. A finalizer must not wait for that lock, because this thread may hold
    it. It leaves its work in `_left`, and the thread that releases the lock does it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.changed = threading.Condition(self._lock)
        self._left: deque[_Owner] = deque()
        self.calls: set[Call] = set()
        self.wakes_at = math.inf
        self.thread: threading.Thread | None = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self._lock:
            yield
        self._sweep()

    def forget(self, owner: _Owner) -> None:
        # Waits for nothing: the connections are closed now, or when the lock is free.
        self._left.append(owner)
        self._sweep()

    def _sweep(self) -> None:
        # Who holds the lock meanwhile looks again after letting go of it.
        while self._left and self._lock.acquire(blocking=False):
            try:
                self._forget_left()
            finally:
                self._lock.release()

    def _forget_left(self) -> None:
        while self._left:
            owner = self._left.popleft()
            # Within a call its end does it.
            if owner.call is None:
                owner.forget_released()

    def begin(self, call: Call) -> None:
        with self.locked():
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self._run, name="provider-deadlines", daemon=True)
                self.thread.start()
            self.calls.add(call)
            call.owner.call = call
            # Calls come in the order of their ends, so the thread is woken once in a deadline, not once a call.
            if call.ends_at < self.wakes_at:
                self.wakes_at = call.ends_at
                self.changed.notify()

    def leave(self, call: Call) -> None:
        with self.locked():
            self.calls.discard(call)
            call.owner.call = None
            call.owner.forget_released()

    def _run(self) -> None:
        with self.changed:
            while True:
                now = time.monotonic()
                for call in [call for call in self.calls if call.ends_at <= now]:
                    call.end()
                    self.calls.discard(call)
                self._forget_left()
                self.wakes_at = min((call.ends_at for call in self.calls), default=math.inf)
                self.changed.wait(None if self.wakes_at == math.inf else self.wakes_at - now)


_here = _Here()
_watch = _Watch()


def _restart() -> None:
    # In a forked child the watching thread does not exist, and the connections are the parent's.
    global _watch  # noqa: PLW0603 - one per process
    _watch = _Watch()
    _here.owner = _Owner()


os.register_at_fork(after_in_child=_restart)


@contextmanager
def within(seconds: float) -> Iterator[Call]:
    """Limit this thread's provider calls to `seconds` from now. Not to be nested."""
    if _here.owner.call is not None:
        raise RuntimeError("a provider call within a provider call")
    call = Call(_here.owner, time.monotonic() + seconds)
    _watch.begin(call)
    try:
        yield call
    finally:
        _watch.leave(call)


def about_to_send(watched: WatchedSocket | None) -> None:
    # A process that hung during a call may wake after its end, and send before the watch has noticed. So the time is
    # checked here too.
    call = _here.owner.call
    if call is None:
        return
    if watched is not None:
        call.sockets.add(watched)
    if call.ends_at <= time.monotonic():
        with _watch.locked():
            call.end()


def begin_request() -> None:
    if _here.owner.call is not None:
        _here.owner.call.has_begun = True


def watch(connection: socket.socket) -> WatchedSocket:
    """Watch a new connection before its TLS handshake.

    Resolving a name cannot be interrupted: a connection made after the end of its call is shut down immediately.
    """
    owner = _here.owner
    with _watch.locked():
        watched = WatchedSocket(connection, owner)
        owner.sockets.add(watched)
        if owner.call is not None:
            owner.call.sockets.add(watched)
        if owner.call is not None and (owner.call.is_over or owner.call.ends_at <= time.monotonic()):
            watched.shut()
    return watched


class WatchedConnection(HTTPConnection):
    """Mix in before a connection class of urllib3, which `requests` and botocore use."""

    _watched: WatchedSocket | None = None

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._watched = watch(connection)
        return connection

    def connect(self) -> None:
        super().connect()
        if self._watched is not None:
            self._watched.is_ready()

    def send(self, data: Any) -> None:
        about_to_send(self._watched)
        super().send(data)

    def close(self) -> None:
        super().close()
        if self._watched is not None:
            self._watched.release()
            self._watched = None
