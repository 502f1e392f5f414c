"""The providers' send endpoints, with their faults."""

import asyncio
import socket
from dataclasses import replace
from http import HTTPStatus
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.iostream import IOStream, StreamClosedError

from devtools.simulator.calls import Call
from devtools.simulator.dialects.base import Answer, Dialect, RefusedError, Results, gateway
from devtools.simulator.faults import ANSWERED, UNREAD, Fault, half, on_the_wire
from devtools.simulator.handlers import PartHandler
from devtools.simulator.journal import Entry
from devtools.simulator.outcomes import INVALID, Outcome
from devtools.simulator.simulation import Simulator

REFUSED = "refused"
REFUSALS = {Fault.STATUS, Fault.SUSPENDED}


def caller_port(context: object) -> int:
    # `context`: tornado's, of a connection.
    return int(getattr(context, "address", ("", 0))[1])


class Send(PartHandler):
    """Waits for `latency_ms`, accepts or refuses the email, and answers as the fault prescribes."""

    caller_left = False
    call: Call

    def initialize(self, simulator: Simulator, part: str = "", dialect: Dialect | None = None) -> None:
        super().initialize(simulator, part)
        # A provider may have another address for batches.
        self.dialect = dialect or self.part.dialect

    def on_connection_close(self) -> None:
        self.caller_left = True

    async def post(self) -> None:
        self.call = self.simulator.calls.begin(self.dialect.name, caller_port(self.connection.context))
        self.simulator.calls.keep(self.call, self.request.body)
        self.simulator.in_flight += 1
        try:
            read = self.read()
            fault = self.part.next_fault()
            if await self.undisturbed(self.part.controls.latency_ms / 1000):
                await self.meet(fault, read)
            else:
                self.detach().close()
        finally:
            self.simulator.in_flight -= 1
            # Without an answer, the connection was closed.
            self.call.end(ANSWERED[Fault.CUT_AFTER])

    def read(self) -> Results | RefusedError:
        """Return the emails of the request, or the refusal."""
        if len(self.request.body) > self.dialect.max_body:
            return RefusedError(self.dialect.error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
        try:
            results = self.dialect.read(self.request.body, self.request.headers)
        except RefusedError as refused:
            return refused
        self.call.describe([one for one in results if isinstance(one, Entry)])
        return results

    async def meet(self, fault: Fault, read: Results | RefusedError) -> None:
        if fault is Fault.CUT_BEFORE:
            return self.detach().close()
        if fault is Fault.HANG_BEFORE:
            self.call.end(ANSWERED[Fault.HANG_AFTER])
            return await self.hold(self.detach())
        try:
            answer = self.refusal(fault) if fault in REFUSALS else self.take(fault, read)
        except RefusedError as refused:
            self.part.refused += 1
            self.call.end(REFUSED)
            return self.reply(refused.answer)
        return await self.answer(answer, fault)

    def refusal(self, fault: Fault) -> Answer:
        """Raise the RefusedError that the controls ask for."""
        controls, dialect = self.part.controls, self.dialect
        if fault is Fault.SUSPENDED:
            raise RefusedError(dialect.suspended())
        raise RefusedError(
            dialect.error(controls.error_status, controls.error_text, retry_after_s=controls.retry_after_s)
        )

    def take(self, fault: Fault, read: Results | RefusedError) -> Answer:
        """Record the email and return the provider's acceptance. Raises RefusedError."""
        if isinstance(read, RefusedError):
            raise read
        results = [self.verdict(one, place) for place, one in enumerate(read)]
        refused = [one for one in results if isinstance(one, Answer)]
        if refused and not self.dialect.answers_each:
            raise RefusedError(refused[0])
        self.part.refused += len(refused)
        answered = UNREAD if self.has_left() else ANSWERED[fault]
        started = self.call.started_at
        taken = [one for one in results if isinstance(one, Entry)]
        self.call.emails = self.simulator.accept(
            self.part, [replace(entry, request_started_at=started, answered=answered) for entry in taken]
        )
        self.call.end(answered)
        return self.dialect.accepted(results)

    def verdict(self, one: Entry | Answer, place: int) -> Entry | Answer:
        """Return the email if the provider takes it, else the refusal."""
        if isinstance(one, Answer):
            return one
        if one.to.lower().startswith(INVALID):
            return self.dialect.invalid(one.to, place)
        inactive = self.dialect.inactive(one.to)
        return inactive if inactive and self.part.next_outcome(one.to) is Outcome.SUPPRESSED else one

    @property
    def connection(self) -> HTTP1Connection:
        return cast("HTTP1Connection", self.request.connection)

    def has_left(self) -> bool:
        # Asks the socket too, because the event loop may not have noticed yet.
        stream = self.connection.stream
        if self.caller_left or stream.closed():
            return True
        try:
            waiting: bytes = stream.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return not waiting

    async def answer(self, answer: Answer, fault: Fault) -> None:
        if fault is Fault.NONE:
            # The caller may have hung up while the journal was written.
            if self.has_left():
                self.simulator.hung_up(caller_port(self.connection.context))
            return self.reply(answer)
        if fault is Fault.ERROR_AFTER:
            return self.reply(gateway(HTTPStatus.INTERNAL_SERVER_ERROR))
        stream = self.detach()
        if fault is Fault.HANG_AFTER:
            return await self.hold(stream)
        if fault is Fault.DRIBBLE:
            return await self.dribble(stream, on_the_wire(answer))
        try:
            if fault is Fault.TRUNCATE:
                await stream.write(half(answer))
        except StreamClosedError:
            return None
        return stream.close()

    async def hold(self, stream: IOStream) -> None:
        await self.undisturbed(self.part.controls.hang_s, stream)
        stream.close()

    async def dribble(self, stream: IOStream, answer: bytes) -> None:
        pause_s = self.part.controls.hang_s / len(answer)
        stream.set_nodelay(True)
        try:
            for byte in answer:
                await stream.write(bytes([byte]))
                if not await self.undisturbed(pause_s, stream):
                    break
        except StreamClosedError:
            return
        stream.close()

    async def undisturbed(self, seconds: float, stream: IOStream | None = None) -> bool:
        """Wait. Return False early if the process has to end or the caller closes the stream."""
        with self.simulator.held.interruptible() as disturbed:
            if stream:
                stream.set_close_callback(disturbed.set)
                if stream.closed():
                    return False
            try:
                await asyncio.wait_for(disturbed.wait(), seconds)
            except TimeoutError:
                return True
            return False

    def reply(self, answer: Answer) -> None:
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.finish(answer.body or None)
