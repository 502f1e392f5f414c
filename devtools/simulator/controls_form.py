"""The form on the controls page: the main controls in groups, for one provider or all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devtools.simulator.controls import CONTROLS, TYPES, Controls
from devtools.simulator.faults import Fault

GROUPS: dict[str, tuple[str, ...]] = {
    "Answers": ("latency_ms", "error_rate", "fail_next", "error_status"),
    "Faults": ("fault", "fault_rate", "fault_next", "hang_s"),
    "Outcomes": ("bounce_rate", "complaint_rate", "deferred_rate"),
    "Reports": ("webhook_lost_rate", "webhook_doubled_rate", "webhook_delay_ms", "webhook_shuffle"),
}
FAULTS = {
    Fault.NONE: "none",
    Fault.STATUS: "refuse with the error status",
    Fault.HANG_BEFORE: "hang without accepting",
    Fault.HANG_AFTER: "accept, then hang",
    Fault.CUT_BEFORE: "disconnect without accepting",
    Fault.CUT_AFTER: "accept, then disconnect",
    Fault.TRUNCATE: "accept, send half an answer",
    Fault.DRIBBLE: "accept, answer byte by byte",
    Fault.ERROR_AFTER: "accept, then answer 500",
    Fault.SUSPENDED: "refuse: account suspended",
}
CHOICES: dict[type, list[tuple[str, str]]] = {
    Fault: [(fault.value, label) for fault, label in FAULTS.items()],
    bool: [("false", "no"), ("true", "yes")],
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """An input for one control. `value` is empty if the providers' values differ; it then changes nothing."""

    name: str
    label: str
    value: str
    least: str
    most: str
    step: str
    choices: Sequence[tuple[str, str]]


def groups(controls: Iterable[Controls]) -> dict[str, list[Field]]:
    values = [one.as_dict() for one in controls]
    return {legend: [_field(name, values) for name in names] for legend, names in GROUPS.items()}


def filled_in(form: Mapping[str, Any]) -> dict[str, object]:
    names = [name for group in GROUPS.values() for name in group]
    return {name: form[name] for name in names if form.get(name, "") != ""}


def _field(name: str, values: Sequence[Mapping[str, Any]]) -> Field:
    control, kind = CONTROLS[name], TYPES[name]
    given = {_shown(value[name]) for value in values}
    return Field(
        name=name,
        label=control.label,
        value=given.pop() if len(given) == 1 else "",
        least=f"{control.least:.0f}",
        most=f"{control.most:.0f}",
        step="any" if kind is float else "1",
        choices=CHOICES.get(kind, []),
    )


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()
