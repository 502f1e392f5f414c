"""An SMTP server that writes one line of JSON per email to /inbox. INBOX_DELAY_S: how long each takes."""

import asyncio
import email
import email.policy
import json
import os
import signal
import time
from pathlib import Path

INBOX = Path("/inbox/inbox.jsonl")
DELAY_S = float(os.environ.get("INBOX_DELAY_S") or 0)
IDLE_S = 300


class Session:
    """One connection. Writes each email before acknowledging it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.recipients: list[str] = []

    async def answer(self, text: str) -> None:
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()

    async def serve(self) -> None:
        await self.answer("220 inbox ESMTP")
        while line := await asyncio.wait_for(self.reader.readline(), IDLE_S):
            verb = line[:4].upper().strip()
            if verb == b"QUIT":
                await self.answer("221 bye")
                return
            if verb == b"DATA":
                await self.take()
            else:
                await self.note(verb, line)

    async def note(self, verb: bytes, line: bytes) -> None:
        if verb == b"MAIL":
            self.recipients = []
        if verb == b"RCPT":
            self.recipients.append(line.decode().strip()[len("RCPT TO:") :].strip("<>"))
        await self.answer("250-inbox\r\n250-8BITMIME\r\n250 SIZE 10000000" if verb == b"EHLO" else "250 ok")

    async def take(self) -> None:
        await self.answer("354 go on")
        lines = []
        while (line := await self.reader.readline()) not in {b".\r\n", b""}:
            lines.append(line)
        await asyncio.sleep(DELAY_S)
        message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        for recipient in self.recipients:
            entry = {"at": time.time(), "to": recipient, "subject": str(message["Subject"])}
            with INBOX.open("a") as inbox:
                inbox.write(json.dumps(entry) + "\n")
        await self.answer("250 taken")


async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await Session(reader, writer).serve()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main() -> None:
    INBOX.touch()
    await asyncio.start_server(connected, "0.0.0.0", 1025, limit=20_000_000)  # noqa: S104 - of a container
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
