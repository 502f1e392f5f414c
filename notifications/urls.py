"""The URLs for a project to include, with any prefix: `path("", include("notifications.urls"))`."""

from django.urls import URLPattern, URLResolver, include, path

from notifications import webhooks
from notifications.conf import settings

app_name = "notifications"
urlpatterns: list[URLPattern | URLResolver] = [path("webhooks/<slug:provider>/", webhooks.receive, name="webhook")]

if settings.DEBUG or settings.MAILROOM_LOCAL:
    urlpatterns.append(path("dev/emails/", include("notifications.previews")))
