"""What the product does: the plan tests explain every statement of it on large tables."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.test import Client

from accounts.models import User
from tests.scripted import ScriptedProvider

WORKS: dict[str, Callable[["Bench"], Any]] = {}


@dataclass(frozen=True)
class Bench:
    """What a work function needs."""

    provider: ScriptedProvider
    operator: Client
    person: User
    browser: Client


def work(function: Callable[[Bench], Any]) -> Callable[[Bench], Any]:
    """Register a work function under its name."""
    WORKS[function.__name__] = function
    return function
