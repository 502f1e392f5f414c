"""The providers' send endpoints, and the harm that answers come to."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus

from tornado.iostream import IOStream, StreamClosedError

from notifications.simulator.dialects.base import Answer, RefusedError
from notifications.simulator.fates import Fate
from notifications.simulator.faults import ANSWERED, UNHEARD, Fault, half, on_the_wire
from notifications.simulator.handlers import PartHandler


class Send(PartHandler):
    """Waits as long as the dial says, then takes the mail or refuses it, and answers as well as the dials let it."""

    caller_left = False

    def on_connection_close(self) -> None:
        self.caller_left = True

    async def post(self) -> None:
        started = datetime.now(UTC).isoformat(timespec="microseconds")
        self.simulator.in_flight += 1
        try:
            fault = self.part.next_fault()
            if await self.undisturbed(self.part.dials.latency_ms / 1000):
                await self.meet(fault, started)
            else:
                self.detach().close()
        finally:
            self.simulator.in_flight -= 1

    async def meet(self, fault: Fault, started: str) -> None:
        if fault is Fault.CUT_BEFORE:
            return self.detach().close()
        if fault is Fault.HANG_BEFORE:
            return await self.hold(self.detach())
        try:
            answer = self.refusal() if fault is Fault.STATUS else self.take(fault, started)
        except RefusedError as refused:
            self.part.refused += 1
            return self.reply(refused.answer)
        return await self.answer(answer, fault)

    def refusal(self) -> Answer:
        """Raises RefusedError, as the dials want it."""
        dials = self.part.dials
        raise RefusedError(
            self.part.dialect.error(dials.error_status, dials.error_text, retry_after_s=dials.retry_after_s)
        )

    def take(self, fault: Fault, started: str) -> Answer:
        """Write the mail down and return the provider's yes. Raises RefusedError."""
        dialect = self.part.dialect
        if len(self.request.body) > dialect.max_body:
            raise RefusedError(dialect.error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
        entries = dialect.read(self.request.body, self.request.headers)
        for entry in entries:
            inactive = dialect.inactive(entry.to)
            if inactive and self.part.next_fate(entry.to) is Fate.SUPPRESSED:
                raise RefusedError(inactive)
        answered = UNHEARD if self.caller_left else ANSWERED[fault]
        self.simulator.accept(
            self.part, [replace(entry, request_started_at=started, answered=answered) for entry in entries]
        )
        return dialect.accepted(entries)

    async def answer(self, answer: Answer, fault: Fault) -> None:
        if fault is Fault.NONE:
            return self.reply(answer)
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
        await self.undisturbed(self.part.dials.hang_s, stream)
        stream.close()

    async def dribble(self, stream: IOStream, answer: bytes) -> None:
        pause_s = self.part.dials.hang_s / len(answer)
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
        """Wait; return False, early, if the process has to end or the caller leaves the stream."""
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
