"""Show how far a long step has come: a bar in a terminal, else a line for each tenth."""

import sys
import time

WIDTH = 30


class Progress:
    def __init__(self, name: str, total: int) -> None:
        self._name, self._total = name, max(total, 1)
        self._done = self._tenths = 0
        self._began = time.monotonic()

    def advance(self, count: int) -> None:
        self._done += count
        share = min(self._done / self._total, 1.0)
        took_s = time.monotonic() - self._began
        text = f"{self._name:<28}{'█' * round(share * WIDTH):<{WIDTH}} {share:4.0%} {took_s:5.0f} s"
        if sys.stdout.isatty():
            print(f"\r{text}", end="\n" if share == 1.0 else "", flush=True)
        elif int(share * 10) > self._tenths:
            self._tenths = int(share * 10)
            print(text, flush=True)
