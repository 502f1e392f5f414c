"""Check the webhooks that a provider's account has set up."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from notifications.providers.base.account import Finding, first_problem, note
from notifications.providers.base.webhook_url import is_exact, is_ours, webhook_url

Hook = dict[str, Any]
Problem = tuple[bool, str, str, str]


def check_webhooks(
    provider: str,
    hooks: Iterable[Hook],
    *,
    url_key: str,
    problems: Callable[[Hook], Iterable[Problem]],
    missing: str,
    otherwise: str,
) -> list[Finding]:
    """Return a finding for each webhook of ours, or a note with the hint `missing`.

    `problems` returns a hook's problems beside its address, as `first_problem` takes them.
    """
    ours = [hook for hook in hooks if is_ours(str(hook.get(url_key, "")), provider)]
    if not ours:
        text = "bounces and complaints stay unknown: no webhook reports to us"
        return [note("webhook", "missing", text, missing)]
    return [
        first_problem("webhook", [_address(str(hook[url_key]), provider), *problems(hook)], otherwise=otherwise)
        for hook in ours
    ]


def _address(url: str, provider: str) -> Problem:
    hint = f"Set it to {webhook_url(provider)}."
    return (not is_exact(url, provider), "address", "its address lacks the last slash", hint)


def missing_events(names: Sequence[str]) -> Problem:
    return (bool(names), "events-missing", f"it leaves out {', '.join(names)}", "Turn these events on.")
