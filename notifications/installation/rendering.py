"""Inspect the project's kinds of email, by rendering an example of each."""

from collections.abc import Iterator

from notifications import kinds
from notifications.conf import settings
from notifications.delivery.example import example
from notifications.providers.base.account import Finding, good, note


def inspect_kinds() -> Iterator[Finding]:
    broken = 0
    for kind in kinds.with_templates():
        content, problem = example(kind, settings.LANGUAGE_CODE)
        if content is None:
            broken += 1
            yield note("kinds", "no-example", problem, "Give its Kind a preview_context that fits.")
    if not broken:
        yield good("kinds", "rendered", ", ".join(sorted(kind.name for kind in kinds.with_templates())))
