"""The home page: the member's account, or a landing page."""

from typing import Any

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from accounts.flows.bouncing import reachability
from accounts.models import User
from notifications import history

SHOWN_EMAILS = 20


@method_decorator(never_cache, name="dispatch")
class HomeView(TemplateView):
    def get_template_names(self) -> list[str]:
        return ["accounts/home.html" if self.request.user.is_authenticated else "accounts/landing.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if isinstance(self.request.user, User):
            context["reachability"] = reachability(self.request.user)
            context["emails"] = history(self.request.user, SHOWN_EMAILS)
        return context
