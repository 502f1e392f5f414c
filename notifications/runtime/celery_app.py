"""Find the process's Celery application, and how `celery -A` names it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from celery import Celery, _state, current_app

from notifications.runtime import celery

#: The module of the engine's application.
OURS = "notifications.celery"
# Tasks of Celery and of the engine.
_KNOWN = ("celery.", "mailroom.")


@dataclass(frozen=True, kw_only=True)
class CeleryApp:
    """An application: its name for `celery -A`, and whether `configure` has prepared it."""

    name: str
    is_configured: bool
    is_ours: bool
    # The queues of the project's other tasks, as far as its configuration names them, and whether there are such tasks.
    queues: tuple[str, ...]
    has_other_tasks: bool


def use_ours_if_alone() -> None:
    """Create the engine's application, unless the project has one."""
    # Celery has no public list.
    state: Any = _state
    if not any(app.set_as_current for app in state._get_active_apps()):  # noqa: SLF001 - the same
        import_module(OURS)


def inspect() -> CeleryApp:
    proxy: Any = current_app
    app = cast("Celery", proxy._get_current_object())  # noqa: SLF001 - Celery's own way to it
    name = min(_names(app), key=len, default=app.main or "")
    return CeleryApp(
        name=name,
        is_configured=celery.is_configured(app),
        is_ours=name == OURS.partition(".")[0],
        queues=tuple(dict.fromkeys([*app.amqp.queues, *_routed(app.conf.task_routes)])),
        has_other_tasks=any(not name.startswith(_KNOWN) for name in app.tasks),
    )


def _routed(routes: Any) -> Iterator[str]:
    # A project may also route by a function, which names no queue in advance.
    for route in routes.values() if isinstance(routes, dict) else ():
        queue = route if isinstance(route, str) else route.get("queue") if isinstance(route, dict) else None
        if isinstance(queue, str):
            yield queue


def _names(app: Celery) -> Iterator[str]:
    # `celery -A shop` finds the attributes `app` and `celery` of shop and shop.celery.
    for module_name, module in list(sys.modules.items()):
        for attribute, value in list(getattr(module, "__dict__", {}).items()):
            if value is app:
                usual = attribute in {"app", "celery"}
                yield module_name.removesuffix(".celery") if usual else f"{module_name}:{attribute}"
