from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView
from django.views.i18n import set_language

from accounts.ratelimits import guarded
from config import views

admin.site.site_header = admin.site.site_title = format_lazy(_("{site} administration"), site=settings.SITE_NAME)

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("notifications.urls")),
    path("admin/status/", RedirectView.as_view(pattern_name="admin:notifications_dashboard")),
    path("admin/steering/", RedirectView.as_view(pattern_name="admin:notifications_steering")),
    # Rate-limited: attackers guess passwords here too.
    path("admin/login/", guarded(admin.site.login)),
    # Staff change their password on the users' page, which is rate-limited and sends an email about the change.
    path("admin/password_change/", RedirectView.as_view(pattern_name="accounts:password-change")),
    # No model has a page of the site. Django's view fails for a key that is no UUID.
    path("admin/r/<int:content_type_id>/<path:object_id>/", views.no_page_of_model),
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
    path("healthz/live", views.live, name="live"),
    path("healthz/ready", views.ready, name="ready"),
]

handler500 = "config.views.server_error"
