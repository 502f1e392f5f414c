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
    # Rate-limited: attackers guess passwords here too.
    path("admin/login/", guarded(admin.site.login)),
    # Staff change their password on the users' page, which is rate-limited and sends an email about the change.
    path("admin/password_change/", RedirectView.as_view(pattern_name="accounts:password-change")),
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
    path("healthz/live", views.live, name="live"),
    path("healthz/ready", views.ready, name="ready"),
]

handler500 = "config.views.server_error"
