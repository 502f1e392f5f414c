"""Inject faults and revert them."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from devtools.chaos.faults import NEUTRAL, WORKERS, Action, Fault
from devtools.chaos.killer import Killer
from devtools.chaos.older_worker import older_worker
from devtools.stack.server import Server
from devtools.stack.simulated import Simulated
from devtools.stack.stack import Stack


class Nemesis:
    """Faults as context managers: injected on entry, reverted on exit, also after Ctrl-C."""

    def __init__(self, stack: Stack, simulated: Simulated, killer: Killer) -> None:
        self.stack = stack
        self.simulated = simulated
        self.killer = killer

    @contextmanager
    def inject(self, fault: Fault) -> Iterator[None]:
        """Raises SupervisorError, ServerError, redis.RedisError and requests.RequestException."""
        actions = {
            Action.KILL: self._kill,
            Action.FREEZE: self._freeze,
            Action.STOP: self._stop,
            Action.CRASH: self._crash,
            Action.WIPE: self._wipe,
            Action.OLDER: self._older,
            Action.CONTROL: self._control,
        }
        with actions[fault.action](fault):
            yield

    @contextmanager
    def _kill(self, fault: Fault) -> Iterator[None]:
        # supervisord restarts it.
        self.killer.kill(fault.target, wait_mid_call=fault.target in WORKERS)
        yield

    @contextmanager
    def _freeze(self, fault: Fault) -> Iterator[None]:
        frozen = self.killer.freeze(fault.target, wait_mid_call=fault.target in WORKERS)
        try:
            yield
        finally:
            self.killer.wake(frozen)

    @contextmanager
    def _stop(self, fault: Fault) -> Iterator[None]:
        self.stack.supervisor.stop_program(fault.target)
        try:
            yield
        finally:
            self.stack.supervisor.start_program(fault.target)
        self._server(fault).wait_ready()

    @contextmanager
    def _crash(self, fault: Fault) -> Iterator[None]:
        os.kill(self.stack.supervisor.pid(fault.target), signal.SIGQUIT)
        yield
        self._server(fault).wait_ready()

    @contextmanager
    def _wipe(self, fault: Fault) -> Iterator[None]:
        with redis.Redis.from_url(self.stack.environment["REDIS_URL"]) as client:
            client.flushall()
        yield

    @contextmanager
    def _older(self, fault: Fault) -> Iterator[None]:
        with older_worker(self.stack):
            yield

    @contextmanager
    def _control(self, fault: Fault) -> Iterator[None]:
        try:
            for number, (provider, controls) in enumerate(fault.controls.items()):
                time.sleep(fault.apart_s if number else 0)
                self.simulated.set_controls(provider, **controls)
            yield
        finally:
            for provider in fault.controls:
                self.simulated.set_controls(provider, **NEUTRAL)

    def _server(self, fault: Fault) -> Server:
        return next(server for server in self.stack.servers if server.name == fault.target)
