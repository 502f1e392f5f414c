"""The full report: all operations, and the history of each email that was lost, duplicated, held or not settled."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from devtools.chaos.checker import fact_of
from devtools.chaos.report import FaultFigures
from devtools.chaos.rows import Rows
from devtools.stack.facts import Fact

# The content of emails is left out, because it has links with tokens.
LEAVES_OUT = {"text", "html", "headers"}


def write(
    path: Path,
    figures: FaultFigures,
    *,
    journal: Sequence[Mapping[str, Any]],
    calls: Sequence[Mapping[str, Any]],
    killer: Sequence[Mapping[str, Any]],
    rows: Rows,
) -> None:
    """Write the report as JSON. Times are seconds since 1970; those of the simulator and PostgreSQL are texts."""
    suspects = suspicious(figures)
    report = {
        "began_at": figures.began_at,
        "verdict": asdict(figures.verdict),
        "impacts": [asdict(impact) for impact in figures.impacts],
        "held": figures.held,
        "unsettled": figures.unsettled,
        "killer": killer,
        "stories": [
            {
                "fact": fact,
                "operations": [asdict(operation) for operation in figures.operations if operation.fact == fact],
                "calls": [call for call in calls if fact_of(call) == fact],
                "journal": [_without_content(entry) for entry in journal if fact_of(entry) == fact],
                "our_rows": rows.stories(fact),
            }
            for fact in suspects
        ],
        "operations": [asdict(operation) for operation in figures.operations],
    }
    path.write_text(json.dumps(report, indent=1, default=str), encoding="utf-8")


def suspicious(figures: FaultFigures) -> list[Fact]:
    verdict = figures.verdict
    doubled = [duplicate.fact for duplicate in verdict.duplicates]
    return sorted({*verdict.lost, *doubled, *verdict.strays, *figures.held, *figures.unsettled})


def _without_content(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in LEAVES_OUT}
