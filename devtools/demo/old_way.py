"""The sign-up page, but its request waits for the provider. For comparison only."""

from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_save
from django.http import HttpResponse
from django.urls import include, path

from accounts import emails
from accounts.forms import SignUpForm
from accounts.models import User
from accounts.urls import urlpatterns as accounts
from accounts.views.sign_up import SignUpView
from config.urls import urlpatterns as site
from notifications.delivery.render import render
from notifications.models import Message
from notifications.providers import registry

# Otherwise the outbox would send the email a second time.
if not post_save.disconnect(sender=User, dispatch_uid="accounts.welcome_new_user"):
    raise ImproperlyConfigured("The receiver that enqueues the welcome email was not found by its dispatch_uid.")


class InlineSignUpView(SignUpView):
    def form_valid(self, form: SignUpForm) -> HttpResponse:
        response = super().form_valid(form)
        user = form.instance
        registry.in_use()[0].send(
            render(Message(kind=emails.WELCOME.name, user=user, to_address=user.email), attempt=1),
        )
        return response


urlpatterns = [
    path("", include(([path("sign-up/", InlineSignUpView.as_view(), name="sign-up"), *accounts], "accounts"))),
    *site,
]
