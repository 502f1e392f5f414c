"""A TCP proxy on loopback that can be slow or refuse connections."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from devtools.stack.ports import HOST, free_port


class Proxy:
    """Forwards bytes to `target` and back. Answers wait `delay_s` first, like those of a slow server."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.delay_s = 0.0
        self._target = target
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self.appear()

    def stop(self) -> None:
        self.vanish()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def appear(self) -> None:
        # Listen again.
        self._do(self._appear())

    def vanish(self) -> None:
        """Cut all connections and refuse new ones."""
        self._do(self._vanish())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _appear(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, self.port)

    async def _vanish(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._open:
            writer.close()
        if serving := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(OSError):
            answers, questions = await asyncio.open_connection(HOST, self._target)
            self._open.add(questions)
            await asyncio.gather(self._carry(reader, questions), self._carry(answers, writer, back=True))
            self._open.discard(questions)
        writer.close()
        self._open.discard(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool = False) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if back and self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(data)
                await writer.drain()
        writer.close()
