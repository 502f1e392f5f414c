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

# A thread cannot be interrupted, and the libraries' limits are per read: a slow, endless answer would block its thread
# forever. So one thread per process shuts down the connections of each call that exceeds its deadline. The library then
# sees its connection break, and sends nothing more over it.

# The time between the hand-over and the call, and between the deadline and the thread's reaction.
CALL_MARGIN_S = 2.0


def call_s() -> float:
    # A message must not be handed over with less time left on its lease.
    return float(settings.PROVIDER_DEADLINE_S) + CALL_MARGIN_S


class WatchedSocket:
    """A second descriptor of a connection's socket.

    The library may close its descriptor at any time, and its number may then belong to another connection. During the
    TLS handshake no object of the library holds the socket.
    """

    def __init__(self, connection: socket.socket, owner: "_Owner") -> None:
        self._copy = socket.fromfd(connection.fileno(), connection.family, connection.type)
        self._owner = owner
        self._is_shut = False
        self._is_released = False
        # True if a part of an email may have been sent over it.
        self.may_have_carried = False

    def is_ready(self) -> None:
        # The connection is established. One that was shut down before carries nothing.
        self.may_have_carried = not self._is_shut

    def release(self) -> None:
        """Close it as soon as no call uses it: the library has closed the connection.

        Within a call the library may still read the answer from it. Safe in a finalizer, which may run at any
        allocation, even while this thread holds the watch's lock.
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
    """One provider call. `is_over` is final after the call."""

    def __init__(self, owner: "_Owner", ends_at: float) -> None:
        self.owner = owner
        self.ends_at = ends_at
        self.is_over = False
        # True once a library has the finished request: an exception before that is not an answer.
        self.has_begun = False
        # The connections made or used in this call, without the thread's connections to other providers.
        self.sockets: set[WatchedSocket] = set()

    def left_s(self) -> float:
        return self.ends_at - time.monotonic()

    def carried_nothing(self) -> bool:
        """Return whether no connection of this call can have carried a request.

        Call it before the provider call ends. A call without connections proves nothing.
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
    """The calls of this process, and the thread that ends late ones.

    One lock guards everything, including shutdowns, so that a call's end cannot hit the next call on the same
    connection. A finalizer must not wait for the lock, because its thread may hold it: it puts its work into `_left`
    for the thread that releases the lock.
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
        # Closes the connections now, or when the lock is free. Never waits.
        self._left.append(owner)
        self._sweep()

    def _sweep(self) -> None:
        # If another thread holds the lock, it sweeps after the release.
        while self._left and self._lock.acquire(blocking=False):
            try:
                self._forget_left()
            finally:
                self._lock.release()

    def _forget_left(self) -> None:
        while self._left:
            owner = self._left.popleft()
            # During a call, `leave` does it.
            if owner.call is None:
                owner.forget_released()

    def begin(self, call: Call) -> None:
        with self.locked():
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self._run, name="provider-deadlines", daemon=True)
                self.thread.start()
            self.calls.add(call)
            call.owner.call = call
            # Calls end in the order of their start, so this wakes the thread once per deadline, not once per call.
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
    # A forked child has no watching thread, and the connections are its parent's.
    global _watch  # noqa: PLW0603 - one per process
    _watch = _Watch()
    _here.owner = _Owner()


os.register_at_fork(after_in_child=_restart)


@contextmanager
def within(seconds: float) -> Iterator[Call]:
    """Limit this thread's provider call to `seconds` from now. Must not be nested."""
    if _here.owner.call is not None:
        raise RuntimeError("a provider call within a provider call")
    call = Call(_here.owner, time.monotonic() + seconds)
    _watch.begin(call)
    try:
        yield call
    finally:
        _watch.leave(call)


def about_to_send(watched: WatchedSocket | None) -> None:
    # A process that was suspended during a call may resume after the deadline, and send before the watching thread
    # acts. So this checks the time too.
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

    Name resolution cannot be interrupted: a connection made after the deadline is shut down immediately.
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
