"""The dashboard of the admin site, at `email/`."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from notifications.admin.dashboard_history import history_shown
from notifications.admin.dashboard_now import now_shown
from notifications.conf import settings
from notifications.operations.history import read_history
from notifications.operations.status import collect

# How often a script renews the parts of the page.
NOW_EVERY_S, HISTORY_EVERY_S = 5, 60


@require_safe
def dashboard_page(request: HttpRequest) -> HttpResponseBase:
    """Show the whole page, which needs no script. For staff who may see messages."""
    _check(request)
    history = read_history()
    context = {
        **admin.site.each_context(request),
        **_links(),
        **now_shown(collect(), history),
        **history_shown(history),
        "title": _("Dashboard"),
        "now_every_s": NOW_EVERY_S,
        "history_every_s": HISTORY_EVERY_S,
    }
    return TemplateResponse(request, "admin/notifications/dashboard.html", context)


@require_safe
def now_part(request: HttpRequest) -> HttpResponseBase:
    _check(request)
    context = {**_links(), **now_shown(collect(), read_history())}
    return TemplateResponse(request, "admin/notifications/dashboard/now_part.html", context)


@require_safe
def history_part(request: HttpRequest) -> HttpResponseBase:
    _check(request)
    return TemplateResponse(request, "admin/notifications/dashboard/history.html", history_shown(read_history()))


def add_dashboard(site: admin.AdminSite) -> None:
    # An app can otherwise only add pages to those of a model.
    site.get_urls = _with_dashboard(site, site.get_urls)  # type: ignore[method-assign]


def _with_dashboard(
    site: admin.AdminSite, get_urls: Callable[[], list[URLResolver | URLPattern]]
) -> Callable[[], list[URLResolver | URLPattern]]:
    def urls() -> list[URLResolver | URLPattern]:
        pages = {"": ("dashboard", dashboard_page), "now/": ("now", now_part), "history/": ("history", history_part)}
        return [
            *(
                path(f"email/{end}", site.admin_view(view), name=f"notifications_{name}")
                for end, (name, view) in pages.items()
            ),
            *get_urls(),
        ]

    return urls


def _check(request: HttpRequest) -> None:
    if not request.user.has_perm("notifications.view_message"):
        raise PermissionDenied


def _links() -> dict[str, Any]:
    return {
        "flower_url": settings.FLOWER_URL,
        "messages_url": reverse("admin:notifications_message_changelist"),
        "uncertain_url": reverse("admin:notifications_uncertainmessage_changelist"),
        "dead_url": reverse("admin:notifications_deadletter_changelist"),
    }
