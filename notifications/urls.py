"""The URLs for a project to include, with any prefix: `path("", include("notifications.urls"))`."""

from django.urls import URLPattern, URLResolver, include, path

from notifications import monitoring, webhooks
from notifications.conf import settings
from notifications.pages.progress import progress_address, progress_part
from notifications.pages.unsubscribe import unsubscribe_page

app_name = "notifications"
urlpatterns: list[URLPattern | URLResolver] = [
    path("webhooks/<slug:provider>/", webhooks.receive, name="webhook"),
    # Providers and email programs post here. A link must work for years, so this path never changes.
    path("unsubscribe/<str:token>/", unsubscribe_page, name="unsubscribe"),
    path("email-progress/<str:token>/", progress_part, name="email-progress"),
    path("email-progress/<str:token>/address/", progress_address, name="email-address"),
    path("metrics", monitoring.metrics_page, name="metrics"),
    path("status.json", monitoring.status_json, name="status"),
]

if settings.DEBUG or settings.MAILROOM_LOCAL:
    urlpatterns.append(path("dev/emails/", include("notifications.previews")))
