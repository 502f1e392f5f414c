"""A client of the simulator's API."""

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ALL = "100000"
TIMEOUT_S = 60.0
RESET_LINK = re.compile(r"http\S+/password-reset/\S+")


@dataclass(frozen=True)
class Simulated:
    url: str
    folder: Path

    def set_controls(self, provider: str = "", /, **controls: float | str) -> None:
        url = f"{self.url}/api/controls/{provider}" if provider else f"{self.url}/api/controls"
        requests.put(url, json=controls, timeout=TIMEOUT_S).raise_for_status()

    def reset_link(self, address: str, within_s: float = 60.0) -> str:
        """Wait for a password reset email and return its link, or an empty text."""
        give_up_at = time.monotonic() + within_s
        while time.monotonic() < give_up_at:
            with suppress(requests.RequestException):
                for entry in self.messages(to=address):
                    if found := RESET_LINK.search(entry["text"]):
                        return found[0]
            time.sleep(0.5)
        return ""

    def stats(self) -> dict[str, Any]:
        return dict(self.get("/api/stats").json())

    def messages(self, **query: str) -> list[dict[str, Any]]:
        """Return the accepted emails, newest first."""
        return list(self.get("/api/messages", **{"bodies": "1", "limit": ALL} | query).json()["messages"])

    def calls(self, **query: str) -> list[dict[str, Any]]:
        """Return the calls that asked to send an email, oldest first."""
        return list(self.get("/api/calls", **{"limit": ALL} | query).json()["calls"])

    def get(self, path: str, **query: str) -> requests.Response:
        return requests.get(self.url + path, params=query, timeout=TIMEOUT_S)
