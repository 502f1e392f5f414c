"""Read a page by keys and codes, which outlive its wording."""

from typing import Any


def notices(page: Any) -> list[str]:
    """Return the keys of the notices that a page shows."""
    return [notice.extra_tags for notice in page.context["messages"]]


def codes(page: Any, field: str) -> set[str]:
    """Return the codes of the errors that a page shows at a field of its form."""
    context = page.context
    form = context["adminform"].form if "adminform" in context else context["form"]
    return {error.code for error in form.errors.as_data().get(field, [])}
