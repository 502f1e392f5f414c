"""The controls of a simulated provider, which a client can change at any time."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any, get_type_hints

from devtools.simulator.chance import draw
from devtools.simulator.faults import Fault

LONGEST_TEXT = 200


class BadControlError(ValueError):
    """An unknown control or an invalid value; the text says which."""


@dataclass(frozen=True)
class Control:
    """A control's label, and the range of its number."""

    label: str
    least: float = 0
    most: float = 1_000_000_000


def rate(label: str) -> Control:
    return Control(label, most=1)


@dataclass(frozen=True, kw_only=True)
class Controls:
    """The provider refuses a share `error_rate` of the sends, and the next `fail_next`, with `error_status`.

    A share of `fault_rate`, and the next `fault_next`, meet `fault`. Setting `seed` restarts the random draws.
    """

    latency_ms: Annotated[int, Control("Delay before every answer, in ms", most=120_000)] = 2000
    error_rate: Annotated[float, rate("Share of sends refused")] = 0.0
    fail_next: Annotated[int, Control("Number of next sends refused")] = 0
    error_status: Annotated[int, Control("Status of a refusal", least=400, most=599)] = (
        HTTPStatus.SERVICE_UNAVAILABLE.value
    )
    error_text: Annotated[str, Control("Text of a refusal, empty for the usual one")] = ""
    retry_after_s: Annotated[int, Control("Retry-After of a 429, in s")] = 1
    fault: Annotated[Fault, Control("Kind of fault")] = Fault.NONE
    fault_rate: Annotated[float, rate("Share of sends with the fault")] = 0.0
    fault_next: Annotated[int, Control("Number of next sends with the fault")] = 0
    greylist_s: Annotated[float, Control("Duration of SMTP greylisting, in s", most=3600)] = 10.0
    hang_s: Annotated[float, Control("Duration of a hang or dribble, in s", most=600)] = 30.0
    bounce_rate: Annotated[float, rate("Share that bounces")] = 0.0
    complaint_rate: Annotated[float, rate("Share reported as spam")] = 0.0
    deferred_rate: Annotated[float, rate("Share delivered only after a delay")] = 0.0
    webhook_lost_rate: Annotated[float, rate("Share of reports lost")] = 0.0
    webhook_doubled_rate: Annotated[float, rate("Share of reports sent twice")] = 0.0
    webhook_delay_ms: Annotated[int, Control("Delay of every report, in ms", most=3_600_000)] = 0
    webhook_shuffle: Annotated[bool, Control("Reports out of order")] = False
    webhook_pause_ms: Annotated[int, Control("First pause before a retry, in ms", least=1, most=60_000)] = 1000
    quota_per_second: Annotated[float, Control("Quota per second")] = 14.0
    quota_per_day: Annotated[float, Control("Quota per day, -1 for none", least=-1)] = 50_000.0
    sending_enabled: Annotated[bool, Control("Sending enabled")] = True
    production_access: Annotated[bool, Control("Out of the sandbox")] = True
    seed: Annotated[int, Control("Random seed")] = 0

    def __post_init__(self) -> None:
        for name, control in CONTROLS.items():
            value = getattr(self, name)
            if not isinstance(value, str) and not control.least <= value <= control.most:
                raise BadControlError(f"{name} must be between {control.least:g} and {control.most:g}.")
        if len(self.error_text) > LONGEST_TEXT or not self.error_text.isprintable():
            raise BadControlError(f"error_text must be one line of at most {LONGEST_TEXT} characters.")

    def changed(self, values: Mapping[str, object]) -> "Controls":
        """Return a changed copy. Raises BadControlError."""
        changes: dict[str, Any] = {}
        for name, value in values.items():
            if name not in CONTROLS:
                raise BadControlError(f"There is no control {name!r}. The controls are {', '.join(CONTROLS)}.")
            changes[name] = _read(name, str(value))
        return replace(self, **changes)

    def next_send(self, number: int) -> tuple[Fault, "Controls"]:
        """Return the fault of a send, and the controls after it. `number` counts since the seed was set."""
        if self.fail_next:
            return Fault.STATUS, replace(self, fail_next=self.fail_next - 1)
        if self.fault_next:
            return self.fault, replace(self, fault_next=self.fault_next - 1)
        if draw(self.seed, "error", number) < self.error_rate:
            return Fault.STATUS, self
        return (self.fault if draw(self.seed, "fault", number) < self.fault_rate else Fault.NONE), self

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


_HINTS = get_type_hints(Controls, include_extras=True)
CONTROLS: dict[str, Control] = {name: hint.__metadata__[0] for name, hint in _HINTS.items()}
TYPES: dict[str, type] = {name: hint.__origin__ for name, hint in _HINTS.items()}
_SWITCH = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
_READERS: dict[type, tuple[Callable[[str], Any], str]] = {
    bool: (lambda text: _SWITCH[text.lower()], "must be true or false"),
    Fault: (Fault, f"must be one of {', '.join(Fault)}"),
    int: (int, "must be a whole number"),
    float: (float, "must be a number"),
    str: (str, "must be a text"),
}


def _read(name: str, text: str) -> Any:
    reader, wanted = _READERS[TYPES[name]]
    try:
        return reader(text)
    except (ValueError, KeyError):
        raise BadControlError(f"{name} {wanted}.") from None
