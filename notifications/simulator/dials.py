"""How the simulated provider behaves, turned while it runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from http import HTTPStatus

LONGEST_LATENCY_MS = 120_000
ERROR_STATUSES = range(400, 600)


class BadDialError(ValueError):
    """A dial that does not exist or cannot be turned there; the text says so."""


@dataclass(frozen=True, kw_only=True)
class Dials:
    """`latency_ms` before every answer; `error_rate` (0 to 1) of sends are refused with `error_status`, and so are the
    next `fail_next` of them."""

    latency_ms: int = 2000
    error_rate: float = 0.0
    error_status: int = HTTPStatus.SERVICE_UNAVAILABLE.value
    fail_next: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.latency_ms <= LONGEST_LATENCY_MS:
            raise BadDialError(f"latency_ms goes from 0 to {LONGEST_LATENCY_MS}.")
        if not 0 <= self.error_rate <= 1:
            raise BadDialError("error_rate goes from 0 to 1.")
        if self.error_status not in ERROR_STATUSES:
            raise BadDialError("error_status is an HTTP status from 400 to 599.")
        if self.fail_next < 0:
            raise BadDialError("fail_next is 0 or more.")

    def turned(self, values: Mapping[str, object]) -> "Dials":
        """Return the dials with some of them changed. Raises BadDialError and changes nothing."""
        kinds = {dial.name: type(getattr(self, dial.name)) for dial in fields(self)}
        changes: dict[str, float] = {}
        for name, value in values.items():
            if name not in kinds:
                raise BadDialError(f"There is no dial {name!r}; there are: {', '.join(kinds)}.")
            try:
                changes[name] = kinds[name](str(value))
            except ValueError:
                raise BadDialError(f"{name} needs a number.") from None
        return replace(self, **changes)  # type: ignore[arg-type]

    def as_dict(self) -> dict[str, float]:
        return asdict(self)
