"""Send requests to the double as fast as it answers, and print how many it answers a second.

`python -m devtools.benchmarks.throughput.load PORT COUNT`
"""

import asyncio
import sys
import time

from devtools.benchmarks.throughput.double import HOST
from devtools.benchmarks.throughput.provider import request_of

CONNECTIONS = 20


async def main(port: int, count: int) -> None:
    prepared = [request_of(number) for number in range(count)]
    began = time.perf_counter()
    await asyncio.gather(*(send(port, prepared[start::CONNECTIONS]) for start in range(CONNECTIONS)))
    print(count / (time.perf_counter() - began))


async def send(port: int, prepared: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    for request in prepared:
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 202 " not in answer:
            raise RuntimeError(answer.decode())
    writer.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
