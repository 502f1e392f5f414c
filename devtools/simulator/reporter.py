"""Posts the providers' reports to the site, a few at a time. Retries while the site is down."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httputil import HTTPInputError

from devtools.simulator.controls import Controls
from devtools.simulator.journal import Entry
from devtools.simulator.outcomes import Due, Event, Outcome, planned
from devtools.simulator.reports.base import Happening, Post, Reports

logger = logging.getLogger(__name__)

FLUSH_S = 0.3
MOST_POSTS = 4
CONNECT_S = 3.0
# SNS gives up on an endpoint that has not answered within 15 s.
ANSWER_S = 15.0


@dataclass
class ReportStatus:
    """One report of one email. `state` is pending, sent, failed, or lost on purpose."""

    event: str
    due_at: str
    state: str = "pending"
    tries: int = 0


@dataclass(frozen=True)
class Parcel:
    status: ReportStatus
    event: dict[str, Any]


class Reporter:
    """Must be used in the event loop that creates it. `target` ends with a slash; the provider's name is appended."""

    def __init__(self, target: str, reports: Mapping[str, Reports], controls_of: Callable[[str], Controls]) -> None:
        self.target = target
        self.reports = reports
        self.controls_of = controls_of
        self.counts: Counter[str] = Counter()
        self._reported: dict[int, list[ReportStatus]] = defaultdict(list)
        self._waiting: dict[str, list[Parcel]] = defaultdict(list)
        self._posting: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(MOST_POSTS)
        self._client = AsyncHTTPClient(force_instance=True, max_clients=MOST_POSTS)

    def report(self, entry: Entry, number: int) -> None:
        """Schedule the reports of an email, if its provider sends any. `number`: as in `planned`."""
        if entry.provider not in self.reports:
            return
        written: dict[Event, dict[str, Any] | None] = {}
        for due in planned(Outcome(entry.outcome), self.controls_of(entry.provider), number):
            # Written once: a duplicated report has the same id and signature.
            if due.event not in written:
                written[due.event] = self._write(entry, due)
            self._schedule(entry, due, written[due.event])

    def reported(self, seq: int) -> list[dict[str, Any]]:
        # Since this process started, posted or due.
        return [asdict(status) for status in self._reported.get(seq, [])]

    def stats(self) -> dict[str, int]:
        return {f"webhooks_{state}": self.counts[state] for state in ("sent", "failed", "pending", "lost")}

    def close(self) -> None:
        for task in self._posting:
            task.cancel()
        if self.counts["pending"]:
            logger.info("%d reports were not posted", self.counts["pending"])

    def _write(self, entry: Entry, due: Due) -> dict[str, Any] | None:
        at = datetime.fromisoformat(entry.accepted_at) + timedelta(seconds=due.happened_s)
        happening = Happening(entry=entry, event=due.event, event_id=str(uuid4()), at=at)
        return self.reports[entry.provider].event(happening)

    def _schedule(self, entry: Entry, due: Due, event: dict[str, Any] | None) -> None:
        if event is None:
            return
        due_at = datetime.fromisoformat(entry.accepted_at) + timedelta(seconds=due.due_s)
        status = ReportStatus(
            due.event.value, due_at.isoformat(timespec="milliseconds"), "lost" if due.lost else "pending"
        )
        self._reported[entry.seq].append(status)
        self.counts[status.state] += 1
        if not due.lost:
            asyncio.get_running_loop().call_later(due.due_s, self._hand_in, entry.provider, Parcel(status, event))

    def _hand_in(self, provider: str, parcel: Parcel) -> None:
        waiting, most = self._waiting[provider], self.reports[provider].most_events
        waiting.append(parcel)
        if len(waiting) >= most:
            self._flush(provider)
        elif len(waiting) == 1:
            asyncio.get_running_loop().call_later(FLUSH_S, self._flush, provider)

    def _flush(self, provider: str) -> None:
        parcels = self._waiting.pop(provider, [])
        if parcels:
            task = asyncio.get_running_loop().create_task(self._deliver(provider, parcels))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)

    async def _deliver(self, provider: str, parcels: list[Parcel]) -> None:
        reports = self.reports[provider]
        post = reports.post([parcel.event for parcel in parcels])
        for pause in (*reports.pauses, None):
            async with self._slots:
                status = await self._post(provider, post)
            for parcel in parcels:
                parcel.status.tries += 1
            if status is not None and status // 100 == 2:  # noqa: PLR2004 - 2xx
                return self._settle(parcels, "sent")
            if pause is None or not reports.tries_again(status):
                break
            await asyncio.sleep(pause * self.controls_of(provider).webhook_pause_ms / 1000)
        logger.warning("%s gives up on %d reports; last response: %s", provider, len(parcels), status or "none")
        return self._settle(parcels, "failed")

    def _settle(self, parcels: list[Parcel], state: str) -> None:
        for parcel in parcels:
            parcel.status.state = state
        self.counts[state] += len(parcels)
        self.counts["pending"] -= len(parcels)

    async def _post(self, provider: str, post: Post) -> int | None:
        # The status of the response, None without one.
        request = HTTPRequest(
            f"{self.target}{provider}/",
            method="POST",
            body=post.body,
            headers=dict(post.headers),
            connect_timeout=CONNECT_S,
            request_timeout=ANSWER_S,
            follow_redirects=False,
            decompress_response=False,
        )
        try:
            return int((await self._client.fetch(request, raise_error=False)).code)
        except (OSError, HTTPClientError, HTTPInputError):
            return None
