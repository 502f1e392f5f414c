"""Announce an outage of the database, which no table can remember."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error
from django.utils.translation import gettext as _

from notifications.conf import settings
from notifications.operations.alerts import channels, text
from notifications.operations.current import outage_finding
from notifications.operations.wording import duration
from notifications.runtime.database import is_outage

# Beat calls it after each failure: without the database it can claim no job. Each beat remembers for itself what it
# announced, so several beats repeat it, and so does a restart during the outage.

logger = logging.getLogger(__name__)

GRACE_S = 10.0
PING_EVERY_S = 15.0
# A webhook that fails is called again after this, then after twice as long, and so on.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 15.0, 300.0


class OutageWatch:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The end of an outage that was announced, until it is posted too.
        self._end = ""
        self._reset()

    def _reset(self) -> None:
        self._began_at: float | None = None
        self._text = ""
        self._is_posted = False
        self._post_at = self._ping_at = 0.0
        self._pause_s = FIRST_PAUSE_S

    @contextmanager
    def database(self) -> Iterator[None]:
        """Note whether the statements in the block reach the database."""
        try:
            yield
        except Error as error:
            self.failed(error)
            raise
        self.works()

    def failed(self, error: Exception) -> None:
        """Announce the outage if it lasts. Other database errors are bugs, and are only logged."""
        if not is_outage(error):
            return
        with self._lock:
            now = time.monotonic()
            if self._began_at is None:
                self._began_at = now
            if now - self._began_at >= GRACE_S:
                self._announce(error, now)

    def works(self) -> None:
        with self._lock:
            now = time.monotonic()
            if self._began_at is not None:
                lasted = duration(now - self._began_at)
                if self._is_posted:
                    self._end = _("Over after %(time)s: %(problem)s") % {"time": lasted, "problem": self._text}
                self._reset()
            if self._end and self._post("✅", self._end, now):
                self._end = ""

    def _announce(self, error: Exception, now: float) -> None:
        if not self._text:
            finding = outage_finding(error)
            self._text = finding.sentence
            logger.error("problem began: %s: %s", finding.code, self._text)
        if settings.ALERT_WEBHOOK_URL and not self._is_posted:
            self._is_posted = self._post("🔴", self._text, now)
            self._end = "" if self._is_posted else self._end
        if settings.ALERT_PING_URL and now >= self._ping_at:
            channels.ping(self._text)
            self._ping_at = now + PING_EVERY_S

    def _post(self, sign: str, said: str, now: float) -> bool:
        # Whether it was posted. A webhook that fails is not called again immediately.
        if now < self._post_at:
            return False
        is_posted = not channels.post("\n".join([text.heading(), f"{sign} {said}"]))
        if not is_posted:
            self._post_at, self._pause_s = now + self._pause_s, min(self._pause_s * 2, LONGEST_PAUSE_S)
        return is_posted


watch = OutageWatch()
