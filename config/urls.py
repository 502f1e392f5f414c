"""The site's URLs."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from accounts.ratelimits import guarded
from config import views

admin.site.site_header = admin.site.site_title = f"{settings.SITE_NAME} administration"

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("notifications.urls")),
    path("admin/status/", RedirectView.as_view(pattern_name="admin:notifications_status")),
    # The administrators' own way to log in is guessed at as often as the people's.
    path("admin/login/", guarded(admin.site.login)),
    # Administrators change their own password where everybody does: counted, and the owner is notified.
    path("admin/password_change/", RedirectView.as_view(pattern_name="accounts:password-change")),
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
    path("healthz/live", views.live, name="live"),
    path("healthz/ready", views.ready, name="ready"),
]

handler500 = "config.views.server_error"
