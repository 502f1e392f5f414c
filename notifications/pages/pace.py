"""Limit how often one key is asked for, in this process."""

import threading
import time
from collections import Counter


class Pace:
    """Allows `most` times in each `window_s` for each key. Remembers only the present window."""

    def __init__(self, most: int, window_s: float) -> None:
        self.most = most
        self.window_s = window_s
        self._lock = threading.Lock()
        self._window = -1
        self._counts: Counter[str] = Counter()

    def allows(self, key: str) -> bool:
        window = int(time.monotonic() // self.window_s)
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, Counter()
            self._counts[key] += 1
            return self._counts[key] <= self.most
