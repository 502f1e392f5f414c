"""What a program asks the simulator, and turns in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ALL = "100000"
TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Simulated:
    url: str
    folder: Path

    def turn(self, provider: str = "", /, **dials: float | str) -> None:
        """Turn the dials of one provider, or of all."""
        url = f"{self.url}/api/dials/{provider}" if provider else f"{self.url}/api/dials"
        requests.put(url, json=dials, timeout=TIMEOUT_S).raise_for_status()

    def stats(self) -> dict[str, Any]:
        return dict(self.get("/api/stats").json())

    def messages(self, **query: str) -> list[dict[str, Any]]:
        """Return what was accepted, newest first."""
        return list(self.get("/api/messages", **{"bodies": "1", "limit": ALL} | query).json()["messages"])

    def calls(self, **query: str) -> list[dict[str, Any]]:
        """Return the calls that wanted a mail sent, oldest first."""
        return list(self.get("/api/calls", **{"limit": ALL} | query).json()["calls"])

    def get(self, path: str, **query: str) -> requests.Response:
        return requests.get(self.url + path, params=query, timeout=TIMEOUT_S)
