"""Send messages again in the admin: count verbs and verdicts first, then do exactly that."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.admin.chosen import Chosen, form_value, was_seen
from notifications.admin.confirmed import ConfirmedAction, acting_operator, changed_meanwhile
from notifications.admin.following import follow_url
from notifications.admin.large_lists import FORM_EXPIRED
from notifications.admin.proposals import Proposal, propose
from notifications.admin.sending_again import Order, SentAgain, send_all_again
from notifications.admin.suppression import LiftForm
from notifications.admin.verdicts import PERMISSIONS, VERBS, Verb, Verdict, verdict_in_words
from notifications.models import Message
from notifications.operations.wording import grouped

#: The page lists this many messages one by one; of more it shows the counts.
MOST_LISTED = 50
DONE: Mapping[Verb, str | Promise] = {
    Verb.RETRY: gettext_lazy("Being retried now: %(count)s."),
    Verb.REPLAY: gettext_lazy("Replayed: %(count)s."),
    Verb.RESEND: gettext_lazy("Queued as new messages: %(count)s."),
    Verb.LIFT: gettext_lazy("Suppression lifted, queued as new messages: %(count)s."),
    Verb.SETTLE: gettext_lazy("Queued to be sent a second time: %(count)s."),
}


@dataclass(frozen=True, kw_only=True)
class ProposedGroup:
    """The messages with one verb, one verdict and one reason to wait."""

    key: str
    verb: Verb
    verdict: Verdict
    result: str
    count: int
    is_allowed: bool

    @property
    def is_offered(self) -> bool:
        return self.is_allowed and self.verb is not Verb.NONE

    @property
    def action(self) -> str | Promise:
        return VERBS[self.verb]


class ResendPages(ConfirmedAction):
    """The action that sends messages again, and its page."""

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return any(self.may(request, *codenames) for codenames in PERMISSIONS.values() if codenames)

    def get_urls(self) -> list[URLPattern]:
        return [*self.act_urls("resend", self.resend_view), *super().get_urls()]

    @admin.action(description=gettext_lazy("Send selected messages again …"), permissions=["resend"])
    def send_again_selected(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponseBase | None:
        ids = self.chosen_ids(request, queryset)
        return self._ask_what(request, ids) if ids else None

    def resend_view(self, request: HttpRequest, chosen: Chosen) -> HttpResponseBase:
        # GET shows what would happen; POST does it for the ticked groups.
        ticked = set(request.POST.getlist("do"))
        if request.method != "POST":
            return self._ask_what(request, list(chosen))
        if not ticked:
            self.message_user(request, _("Tick what to send again. Nothing was sent."), messages.WARNING)
            return self._ask_what(request, list(chosen))
        try:
            request_id = UUID(request.POST.get("request_id", ""))
        except ValueError:
            return self.refused(request, str(FORM_EXPIRED), list(chosen))
        asked = [id_ for id_, version in chosen.items() if version is None or version.rpartition(".")[0] in ticked]
        going = [each for each in propose(asked) if each.key in ticked and self._goes(request, each, chosen)]
        form = LiftForm(request.POST)
        if any(each.verb is Verb.LIFT for each in going) and not form.is_valid():
            self.message_user(request, _("Enter a reason for lifting the suppression."), messages.ERROR)
            return self._ask_what(request, list(chosen))
        why = form.cleaned_data["why"] if form.is_valid() else ""
        result = send_all_again(going, Order(by=acting_operator(request), request_id=request_id, why_lifted=why))
        self._report(request, result, moved=len(asked) - len(going))
        return self._followed(result) or self.back(request, list(chosen))

    def _goes(self, request: HttpRequest, proposal: Proposal, chosen: Chosen) -> bool:
        is_same = was_seen(chosen, proposal.message.id, proposal.version)
        return proposal.verb is not Verb.NONE and is_same and self.may(request, *PERMISSIONS[proposal.verb])

    def _followed(self, result: SentAgain) -> HttpResponseRedirect | None:
        url = follow_url([message.id for message in result.messages])
        return HttpResponseRedirect(url) if url else None

    def _report(self, request: HttpRequest, result: SentAgain, *, moved: int) -> None:
        done = [str(DONE[verb]) % {"count": grouped(len(found))} for verb, found in result.done.items()]
        if held := sum(message.slowed_until is not None for message in result.done.get(Verb.RESEND, ())):
            done.append(_("Held by the bounce brake: %(count)s.") % {"count": grouped(held)})
        if done:
            self.message_user(request, " ".join(done), messages.SUCCESS)
        else:
            self.message_user(request, _("Nothing was sent again."), messages.WARNING)
        for reason, count in result.refused.most_common():
            text = _("Not sent (%(count)s): %(reason)s") % {"count": grouped(count), "reason": reason}
            self.message_user(request, text, messages.WARNING)
        if moved:
            self.message_user(request, changed_meanwhile(moved), messages.WARNING)

    def _ask_what(self, request: HttpRequest, ids: Sequence[UUID]) -> TemplateResponse:
        proposals = propose(ids)
        groups = list(self._groups(request, proposals))
        offered = [group for group in groups if group.is_offered]
        context = {
            "found": proposals,
            "groups": groups,
            "offered": offered,
            # The usual case needs no tick.
            "ticked": _usual(offered),
            "lifts": any(group.verb is Verb.LIFT for group in offered),
            "rows": proposals if len(proposals) <= MOST_LISTED else [],
            "ids": form_value((each.message.id, each.version) for each in proposals if each.verb is not Verb.NONE),
            "request_id": uuid4(),
            "why": request.POST.get("why", ""),
        }
        title = ngettext("Send this message again", "Send messages again", len(proposals))
        return self.confirmation(request, "resend", title, ids, context)

    def _groups(self, request: HttpRequest, proposals: Sequence[Proposal]) -> Iterator[ProposedGroup]:
        counts = Counter(each.key for each in proposals)
        one_of_each = {each.key: each for each in proposals}
        for key, each in sorted(one_of_each.items(), key=lambda found: _place(found[1])):
            yield ProposedGroup(
                key=key,
                verb=each.verb,
                verdict=each.verdict,
                result=verdict_in_words(each.verdict, each.wait),
                count=counts[key],
                is_allowed=self.may(request, *PERMISSIONS[each.verb]),
            )


def _place(proposal: Proposal) -> tuple[int, int, str]:
    return list(Verb).index(proposal.verb), list(Verdict).index(proposal.verdict), proposal.wait or ""


def _usual(offered: Sequence[ProposedGroup]) -> set[str]:
    # Without the groups that cost the recipient a second copy, or override a suppression, unless nothing else is left.
    harmless = {group.key for group in offered if group.verdict not in _NEEDS_A_TICK}
    return harmless or {group.key for group in offered}


_NEEDS_A_TICK = {Verdict.SENT_BEFORE, Verdict.MAY_ARRIVE_TWICE, Verdict.SUPPRESSED}
