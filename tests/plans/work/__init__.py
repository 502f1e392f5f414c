"""What the product does, for the plan tests: every statement of these is explained against large tables."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.test import Client

from accounts.models import User
from tests.scripted import ScriptedProvider

WORKS: dict[str, Callable[["Bench"], Any]] = {}


@dataclass(frozen=True)
class Bench:
    """What a piece of work needs."""

    provider: ScriptedProvider
    operator: Client
    person: User
    browser: Client


def work(function: Callable[[Bench], Any]) -> Callable[[Bench], Any]:
    """Register a piece of work under the function's name."""
    WORKS[function.__name__] = function
    return function
