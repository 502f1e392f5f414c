"""Confirming an address, and asking for another link."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import FormView, TemplateView, View

from accounts.flows import sign_up
from accounts.flows.started import remembered
from accounts.forms.sign_up import ConfirmAgainForm
from accounts.links import user_of
from accounts.models import User
from accounts.throttling import Action, Bucket, count, throttled
from accounts.tokens import confirmation_tokens


@method_decorator(never_cache, name="dispatch")
class ConfirmView(View):
    """GET only shows a button: mail scanners follow links, and a scanner must not confirm anything."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest, uid: str, token: str) -> HttpResponse:
        user = user_of(uid)
        if confirmation_tokens.check_token(user, token):
            return render(request, "accounts/confirm.html", {"address": user and user.email})
        if confirmation_tokens.was_used(user, token):
            return render(request, "accounts/confirmed.html")
        # Only who holds a link of ours may see whose it was.
        known = user.email if user and confirmation_tokens.is_ours(user, token) else ""
        form = ConfirmAgainForm(initial={"email": known})
        return render(request, "accounts/confirm_failed.html", {"form": form, "expired": bool(known)}, status=410)

    def post(self, request: HttpRequest, uid: str, token: str) -> HttpResponse:
        user = user_of(uid)
        if user is None or not confirmation_tokens.check_token(user, token):
            return self.get(request, uid, token)
        # All of it again: it may have been changed since the token was checked.
        User.objects.filter(pk=user.pk, email=user.email, confirmed_at=None, replaced_at=None).update(
            confirmed_at=timezone.now()
        )
        return HttpResponseRedirect(request.path)


@method_decorator(never_cache, name="dispatch")
@method_decorator(throttled(Action.RESEND), name="post")
class ConfirmAgainView(FormView):
    """For whoever has lost the link, or has one that no longer works."""

    form_class = ConfirmAgainForm
    template_name = "accounts/confirm_again.html"
    success_url = reverse_lazy("accounts:confirm-again-done")

    def get_initial(self) -> dict[str, Any]:
        started = remembered(self.request)
        return {"email": started.address} if started else {}

    def form_valid(self, form: ConfirmAgainForm) -> HttpResponse:
        address = form.cleaned_data["email"]
        count(Bucket.MAIL, address)
        sign_up.ask_for_confirmation(address, form.reference(address))
        return super().form_valid(form)


class ConfirmAgainDoneView(TemplateView):
    template_name = "accounts/confirm_again_done.html"
