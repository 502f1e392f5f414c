"""Print findings for operators."""

from collections.abc import Sequence

from django.core.management.base import OutputWrapper
from django.core.management.color import Style

from notifications.providers.base.account import Finding, Level


def print_findings(found: Sequence[Finding], out: OutputWrapper, style: Style) -> None:
    width = max((len(finding.subject) for finding in found), default=0)
    for finding in found:
        print_finding(finding, width, out, style)


def print_finding(finding: Finding, width: int, out: OutputWrapper, style: Style) -> None:
    """Print a finding with its hint; `width` is that of all subjects."""
    color = {Level.GOOD: style.SUCCESS, Level.NOTE: style.WARNING, Level.BAD: style.ERROR}[finding.level]
    out.write(f"{color(f'{finding.level.value:<4}')}  {finding.subject:<{width}}  {printable(finding.text)}")
    if finding.hint and finding.level is not Level.GOOD:
        out.write(f"{'':<4}  {'':<{width}}  → {printable(finding.hint)}")


def printable(text: str) -> str:
    # A provider's text could control the terminal.
    return "".join(character if character.isprintable() else "?" for character in text)
