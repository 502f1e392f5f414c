"""System checks of what every process reads: a setting that cannot work is refused by id, name and remedy."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Error

from config import capacity
from config.environment import env


def register() -> None:
    for check in (readable,):
        checks.register(check, "mailroom")
    capacity.register()


def readable(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for problem in env.problems:
        yield Error(problem.text, hint=problem.hint, id=problem.id)
