"""Many slow clients: 200 connections that send nothing, a header or a body, one byte per second, until SIGTERM.

A program, because it has to run in the engine's network. Prints how many connections were open at the same time.
"""

import argparse
import asyncio
import contextlib
import signal
import ssl

CONNECTIONS, CLIENTS = 200, 10
PAUSE_S = 1.0
# Connections without a request, in the header, and in the body.
BEGINNINGS = (
    b"",
    b"GET /sign-up/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    b"POST /sign-up/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 200000\r\n\r\n",
)


class Attack:
    def __init__(self, port: int, ca_file: str) -> None:
        self.port = port
        self.context = ssl.create_default_context(cafile=ca_file)
        self.open = self.most = 0

    async def again_and_again(self, number: int) -> None:
        while True:
            with contextlib.suppress(OSError):
                await self.once(number)
            await asyncio.sleep(0.2)

    async def once(self, number: int) -> None:
        source = (f"127.66.0.{number % CLIENTS + 1}", 0)
        _, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.context, local_addr=source)
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            beginning = BEGINNINGS[number % len(BEGINNINGS)]
            writer.write(beginning)
            while not writer.is_closing():
                await writer.drain()
                await asyncio.sleep(PAUSE_S)
                writer.write(b"x" if beginning else b"")
        finally:
            self.open -= 1
            writer.close()


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ca", required=True)
    options = parser.parse_args()
    attack, stop = Attack(options.port, options.ca), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tasks = [asyncio.create_task(attack.again_and_again(number)) for number in range(CONNECTIONS)]
    await stop.wait()
    print(attack.most)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
