"""Sign up, and show the state of the confirmation email."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe
from django.views.generic import FormView

from accounts.flows import sign_up
from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.forms import SignUpForm
from accounts.models import User
from accounts.ratelimits import Action, Bucket, count, throttled
from accounts.views.next_page import page_after, requested_page

FORM_DECORATORS = [sensitive_post_parameters("password"), never_cache]


@method_decorator(FORM_DECORATORS, name="dispatch")
@method_decorator(throttled(Action.SIGN_UP), name="post")
class SignUpView(FormView):
    form_class = SignUpForm
    template_name = "accounts/sign_up.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return redirect(page_after(requested_page(request)))
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "next": requested_page(self.request)}

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        count(Bucket.EMAIL, form.cleaned_data["email"])
        wanted = form.wanted
        wanted.language = get_language() or ""
        earlier = self.earlier(wanted.email)
        pending = PendingSignUp(
            address=wanted.email,
            name=wanted.name,
            wants_news=wanted.wants_news,
            account=earlier.account if earlier else form.account(wanted.email),
            mail=form.reference(wanted.email),
            next=requested_page(self.request) or (earlier.next if earlier else ""),
        )
        if not form.is_bot:
            sign_up.sign_up(wanted, pending, instead_of=earlier)
        response = redirect("accounts:check-inbox")
        pending.save(response)
        return response

    def earlier(self, address: str) -> PendingSignUp | None:
        # The same address in the same browser: the user wants another password or name.
        earlier = PendingSignUp.load(self.request)
        return earlier if earlier and earlier.address == address else None


class CorrectAddressView(SignUpView):
    """Shows the whole sign-up form, not only the address.

    The sign-up may not have created an account, if the address had one. The page must not reveal that, so the corrected
    address is a complete sign-up.
    """

    template_name = "accounts/correct_address.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if PendingSignUp.load(request) is None:
            return redirect("accounts:sign-up")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "page": reverse("accounts:check-inbox")}

    def get_initial(self) -> dict[str, Any]:
        earlier = PendingSignUp.load(self.request)
        if earlier is None:
            return {}
        return {"email": earlier.address, "name": earlier.name, "wants_news": earlier.wants_news}

    def earlier(self, address: str) -> PendingSignUp | None:
        return PendingSignUp.load(self.request)


@never_cache
@require_safe
def check_inbox(request: HttpRequest) -> HttpResponse:
    # The open page asks for the part that changes.
    pending, is_part = PendingSignUp.load(request), "part" in request.GET
    if pending is None:
        return HttpResponse(status=HTTPStatus.GONE) if is_part else redirect("accounts:home")
    account = User.objects.by_address(pending.address)
    confirmed = pending.made(account) and account is not None and account.confirmed_at is not None
    template = "accounts/inbox_part.html" if is_part else "accounts/check_inbox.html"
    return render(request, template, {"pending": pending, "confirmed": confirmed})


@never_cache
@require_POST
@throttled(Action.RESEND)
def resend(request: HttpRequest) -> HttpResponse:
    pending = PendingSignUp.load(request)
    if pending is None:
        return redirect("accounts:confirm-again")
    response = redirect("accounts:check-inbox")
    if wait_s := pending.wait_s:
        text = ngettext("Please wait %(wait_s)d second.", "Please wait %(wait_s)d seconds.", wait_s)
        messages.warning(request, text % {"wait_s": wait_s}, "resend-too-soon")
    else:
        count(Bucket.EMAIL, pending.address)
        sign_up.resend(pending).save(response)
        messages.success(request, _("We're sending it again."), "resent")
    return response
