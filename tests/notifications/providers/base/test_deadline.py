"""The deadline of provider calls: what it ends, and what it must not end."""

import os
import random
import smtplib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from notifications.providers.base import deadline
from notifications.providers.smtp import backend

# A call that lasts this long was not ended by a deadline.
FOREVER_S = 30.0


@pytest.fixture
def pair():
    """Yield a connection and its other end."""
    ours, theirs = socket.socketpair()
    ours.settimeout(FOREVER_S)
    theirs.settimeout(FOREVER_S)
    with ours, theirs:
        yield ours, theirs


@pytest.fixture(autouse=True)
def _nothing_left():
    yield
    for watched in set(deadline._here.owner.sockets):
        watched.release()
    # If the thread of the deadlines holds the lock, it would forget them later.
    with deadline._watch._lock:
        deadline._watch._forget_left()
    assert deadline._here.owner.sockets == set()


def works(ours, theirs):
    ours.sendall(b"?")
    return theirs.recv(1) == b"?"


def test_call_past_its_deadline_has_its_connection_shut_down(pair):
    ours, theirs = pair
    with deadline.within(0.1) as call:
        deadline.watch(ours)
        assert ours.recv(1) == b""
    assert call.is_over
    assert theirs.recv(1) == b""


def test_slow_answer_is_ended(pair):
    ours, theirs = pair

    def dribble():
        while True:
            try:
                theirs.sendall(b".")
            except OSError:
                return
            time.sleep(0.01)

    thread = threading.Thread(target=dribble, daemon=True)
    thread.start()
    with deadline.within(0.2) as call:
        deadline.watch(ours)
        while ours.recv(1):
            pass
    assert call.is_over
    thread.join(FOREVER_S)
    assert not thread.is_alive()


def test_send_that_the_server_does_not_read_is_ended(pair):
    ours, _ = pair
    deadline.watch(ours)
    with deadline.within(0.1) as call, pytest.raises(BrokenPipeError):
        ours.sendall(b"." * 50_000_000)
    assert call.is_over


def test_finished_call_is_never_ended(pair):
    ours, theirs = pair
    with deadline.within(0.05) as first:
        deadline.watch(ours)
    with deadline.within(FOREVER_S) as second:
        time.sleep(0.2)
        assert works(ours, theirs)
    assert (first.is_over, second.is_over) == (False, False)


def test_connection_is_shut_down_exactly_if_its_call_is_over():
    """Calls end around their deadline, on connections that the next call uses too."""

    def calls(seed):
        luck = random.Random(seed)
        ours, theirs = socket.socketpair()
        watched = deadline.watch(ours)
        overs = 0
        for _ in range(150):
            with deadline.within(0.003) as call:
                time.sleep(luck.uniform(0, 0.006))
            assert watched._is_shut == call.is_over
            if call.is_over:
                overs += 1
                watched.release()
                ours.close(), theirs.close()
                ours, theirs = socket.socketpair()
                watched = deadline.watch(ours)
            assert works(ours, theirs)
        watched.release()
        ours.close(), theirs.close()
        return overs

    with ThreadPoolExecutor(8) as pool:
        overs = sum(pool.map(calls, range(8)))
    # Without both cases, the test proves nothing.
    assert 0 < overs < 8 * 150


def test_reused_descriptor_number_is_not_shut_down(pair):
    ours, _ = pair
    with deadline.within(0.1) as call:
        deadline.watch(ours)
        number = ours.fileno()
        ours.close()
        successor, peer = socket.socketpair()
        with successor, peer:
            assert number in {successor.fileno(), peer.fileno()}
            while not call.is_over:
                time.sleep(0.01)
            assert works(successor, peer)


def test_connection_made_after_the_deadline_is_shut_down_immediately(pair):
    ours, theirs = pair
    with deadline.within(0.05) as call:
        while not call.is_over:
            time.sleep(0.01)
        watched = deadline.watch(ours)
        watched.is_ready()
        with pytest.raises(BrokenPipeError):
            ours.sendall(b"an email")
        assert call.carried_nothing()
    assert theirs.recv(1) == b""


@pytest.mark.parametrize("library", ["urllib3", "smtplib"])
def test_suspended_process_sends_nothing_after_the_deadline(pair, library):
    ours, theirs = pair
    connection = backend._Smtp() if library == "smtplib" else deadline.WatchedConnection("localhost")
    connection.sock = ours
    with deadline.within(FOREVER_S) as call:
        connection._watched = deadline.watch(ours)
        connection.send(b"?")
        assert theirs.recv(1) == b"?"
        # The deadline passed during the suspension, and the watching thread has not resumed yet.
        call.ends_at = time.monotonic()
        with pytest.raises((BrokenPipeError, smtplib.SMTPServerDisconnected)):
            connection.send(b"an email")
        assert call.is_over
    connection.close()
    assert theirs.recv(1) == b""


def test_call_without_a_connection_proves_nothing():
    with deadline.within(FOREVER_S) as call:
        assert not call.carried_nothing()


def test_unestablished_connection_has_carried_nothing(pair):
    with deadline.within(FOREVER_S) as call:
        watched = deadline.watch(pair[0])
        assert call.carried_nothing()
        watched.is_ready()
        assert not call.carried_nothing()


def test_warm_connection_to_another_provider_proves_nothing(pair):
    ours, theirs = pair
    warm = deadline.watch(theirs)
    warm.is_ready()
    with deadline.within(FOREVER_S) as call:
        # The handshake hangs.
        deadline.watch(ours)
        assert call.carried_nothing()
        deadline.about_to_send(warm)
        assert not call.carried_nothing()
    with deadline.within(FOREVER_S) as following:
        assert not following.carried_nothing()
        deadline.watch(ours)
        assert following.carried_nothing()


def within_the_lock(act):
    """Run it in a thread that holds the watch's lock, as a finalizer may; fail if it waits for the lock."""

    def run():
        with deadline._watch.locked():
            act()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(FOREVER_S)
    assert not thread.is_alive()


def test_finalizer_within_the_lock_does_not_wait_and_takes_effect(pair):
    ours, theirs = pair
    watched = deadline.watch(ours)
    within_the_lock(watched.release)
    ours.close()
    # The second descriptor is closed too, or the other end would still be open.
    assert theirs.recv(1) == b""
    assert deadline._here.owner.sockets == set()


def test_calls_of_other_threads_continue(pair):
    ours, theirs = pair
    entered, over = threading.Event(), threading.Event()

    def patient():
        with deadline.within(FOREVER_S) as call:
            watched = deadline.watch(ours)
            entered.set()
            over.wait(FOREVER_S)
            fine = works(ours, theirs) and not call.is_over
        watched.release()
        return fine

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(patient)
        entered.wait(FOREVER_S)
        with deadline.within(0.05) as call:
            while not call.is_over:
                time.sleep(0.01)
        over.set()
        assert other.result()


def test_connection_the_library_closes_within_a_call_ends_with_the_call(pair):
    ours, theirs = pair
    theirs.setblocking(False)
    with deadline.within(FOREVER_S):
        watched = deadline.watch(ours)
        watched.release()
        ours.close()
        # A file object may still read the answer, so the deadline must still reach the connection.
        with pytest.raises(BlockingIOError):
            theirs.recv(1)
    assert theirs.recv(1) == b""


def test_one_thread_watches_all_calls():
    for _ in range(50):
        with deadline.within(FOREVER_S):
            pass
    assert [thread.name for thread in threading.enumerate()].count("provider-deadlines") == 1


def test_call_within_a_call_is_refused():
    with deadline.within(FOREVER_S), pytest.raises(RuntimeError), deadline.within(FOREVER_S):
        pass


def test_forked_process_has_a_separate_watch(pair):
    ours, theirs = pair
    with deadline.within(FOREVER_S):
        deadline.watch(ours)
        child = os.fork()
        if child == 0:
            a, b = socket.socketpair()
            a.settimeout(FOREVER_S)
            with deadline.within(0.1) as call:
                deadline.watch(a)
                ended = a.recv(1) == b""
            b.close()
            os._exit(0 if ended and call.is_over else 1)
        assert os.waitpid(child, 0)[1] == 0
        # The child has dropped the parent's connection without ending it.
        assert works(ours, theirs)
