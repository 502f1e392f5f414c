"""What one task may send now."""

from notifications.budget import grants
from notifications.budget.grants import Grant
from notifications.rules.states import Stream


class Allowance:
    """The grants that a task has and has not used, for one provider. `end` it: others may use what is left."""

    def __init__(self, provider: str, stream: Stream) -> None:
        self._provider = provider
        self._stream = stream
        self._grant = Grant(0)
        self._left = 0

    @property
    def granted_at(self) -> int:
        # Redis' time of the last grant in microseconds, 0 without Redis.
        return self._grant.granted_at

    def ask(self, wanted: int) -> Grant:
        """Replace what is left by up to `wanted` new grants. Raises database errors."""
        self.end()
        self._grant = grants.reserve(self._provider, self._stream, wanted)
        self._left = self._grant.count
        return self._grant

    def has_some(self, wanted: int) -> bool:
        """Ask for `wanted` new grants if none is left. After a refusal, this task's next group asks."""
        if not self._left and not self._grant.waits_s:
            self.ask(wanted)
        return self._left > 0

    def use(self, count: int = 1) -> None:
        # For one call to `count` recipients, for whom it has grants.
        self._left -= count

    def end(self) -> None:
        grants.release(self._provider, self._stream, self._grant, self._left)
        self._left = 0
