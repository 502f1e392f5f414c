"""Refuse to start Flower without a log-in."""

from typing import Any

import click

REFUSAL = (
    "Flower does not start without a password, because its pages show server addresses and every task. "
    "Set FLOWER_BASIC_AUTH=user:password, or FLOWER_BASIC_AUTH_FILE. (mailroom.E037)"
)


def is_flower() -> bool:
    # Celery sends no signal when Flower starts, but Flower imports the tasks before it listens.
    context = click.get_current_context(silent=True)
    return context is not None and context.info_name == "flower"


def require_login(**kwargs: Any) -> None:
    """End Flower if anyone could open its pages, and protect those that it leaves open."""
    if not is_flower():
        return
    # No other process needs Flower, and a project may not have it.
    from flower.views.monitor import Healthcheck, Metrics  # noqa: PLC0415
    from tornado.options import options  # noqa: PLC0415
    from tornado.web import authenticated  # noqa: PLC0415

    if not (options.basic_auth or options.auth):
        raise SystemExit(REFUSAL)
    for page in (Metrics, Healthcheck):
        page.get = authenticated(page.get)
