"""The pytest plugin, which pytest loads wherever the wheel is installed.

It imports Django only for a test that uses one of its fixtures.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from notifications.testing.rendering import RenderedKind
    from notifications.testing.room import Mailroom


@pytest.fixture
def mailroom(db: None, settings: Any) -> Iterator["Mailroom"]:
    """What this test enqueues, delivered without broker and worker: docs/how-to/test-your-email.md."""
    from notifications.testing.room import Mailroom  # noqa: PLC0415 - see above

    with Mailroom(settings) as room:
        yield room


@pytest.fixture
def rendered_kind(request: pytest.FixtureRequest, db: None) -> "RenderedKind":
    """Each kind of email in each language, rendered with its preview_context."""
    from notifications.testing.rendering import render_kind  # noqa: PLC0415 - see above

    name, language = request.param
    return render_kind(name, language)


def pytest_generate_tests(metafunc: Any) -> None:
    if "rendered_kind" in metafunc.fixturenames:
        from notifications.testing.rendering import kinds_and_languages  # noqa: PLC0415 - see above

        pairs = kinds_and_languages()
        metafunc.parametrize("rendered_kind", pairs, indirect=True, ids=["-".join(pair) for pair in pairs])
