"""Logging in."""

from django.conf import settings
from django.contrib.auth import views as auth
from django.http import HttpResponse
from django.utils.decorators import method_decorator

from accounts.flows.started import forget
from accounts.forms.log_in import LogInForm
from accounts.throttling import guarded
from accounts.views.language import speak


@method_decorator(guarded, name="dispatch")
class LogInView(auth.LoginView):
    template_name = "accounts/log_in.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True
    # The view's own idea of a site's name is the host that the request asked for.
    extra_context = {"site_name": settings.SITE_NAME}

    def form_valid(self, form: LogInForm) -> HttpResponse:  # type: ignore[override]
        response = super().form_valid(form)
        if not form.cleaned_data["remember"]:
            # Until the browser is closed.
            self.request.session.set_expiry(0)
        forget(response)
        if language := form.get_user().language:
            speak(response, language)
        return response
