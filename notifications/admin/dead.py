"""Dead letters: their errors, and the replay of those that are still relevant."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from notifications.admin.chosen import Chosen, form_value, was_seen
from notifications.admin.confirmed import changed_meanwhile
from notifications.admin.large_lists import DayFilter, ValuesFilter
from notifications.admin.recipient import recipient
from notifications.admin.waiting import WaitingAdmin
from notifications.delivery.replay import ReplayVerdict, Tally, replay
from notifications.models import DeadLetter, Message
from notifications.operations.wording import grouped
from notifications.rules.states import Status

VERDICTS = {
    ReplayVerdict.RELEVANT: pgettext_lazy("verdict", "To be replayed"),
    ReplayVerdict.EXPIRED: pgettext_lazy("verdict", "Expired"),
    ReplayVerdict.SUPPRESSED: pgettext_lazy("verdict", "Suppressed"),
    ReplayVerdict.IRRELEVANT: pgettext_lazy("verdict", "No longer relevant"),
    ReplayVerdict.RESENT: pgettext_lazy("verdict", "Already resent"),
    ReplayVerdict.ANONYMIZED: pgettext_lazy("verdict", "Anonymized"),
    ReplayVerdict.BROKEN: pgettext_lazy("verdict", "Still failing"),
}


@admin.register(DeadLetter)
class DeadLetterAdmin(WaitingAdmin):
    # Their ids must fit into DATA_UPLOAD_MAX_MEMORY_SIZE. `manage.py replay_dead` has no limit.
    most_chosen = 5_000
    list_display = [recipient, "kind", "error_fingerprint", "died_at", "attempts", "replays"]
    list_filter = [
        ("kind", ValuesFilter),
        ("error_fingerprint", ValuesFilter),
        ("provider", ValuesFilter),
        DayFilter,
    ]
    newest_by = "died_at"
    searched_within = {"status": Status.DEAD}
    ordering = ["-died_at"]
    actions = ["replay_selected"]

    def every_row(self, request: HttpRequest) -> QuerySet[Message, Message]:
        rows = super().every_row(request)
        fingerprint = request.GET.get("error_fingerprint")
        return rows.filter(error_fingerprint=fingerprint) if fingerprint else rows

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "replay_message")

    def get_urls(self) -> list[URLPattern]:
        return [*self.act_urls("replay", self.replay_view), *super().get_urls()]

    @admin.action(description=gettext_lazy("Replay selected dead letters …"), permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[Message, Message]) -> HttpResponseBase | None:
        ids = self.chosen_ids(request, queryset)
        return self._ask(request, ids) if ids else None

    def replay_view(self, request: HttpRequest, chosen: Chosen) -> HttpResponseBase:
        # GET shows what a replay would do; POST replays what is still relevant then.
        ids = list(chosen)
        if request.method != "POST":
            return self._ask(request, ids)
        tally = replay(
            Message.objects.filter(id__in=ids).exclude(id__in=self._died_again(chosen)),
            dry_run=False,
            notify=lambda replayed: self.log(request, replayed, _("Replayed.")),
        )
        level = messages.SUCCESS if tally.replayed else messages.WARNING
        self.message_user(request, result_in_words(tally, len(ids)), level)
        return self.back(request, ids)

    def _died_again(self, chosen: Chosen) -> list[UUID]:
        # A message replayed since the page was shown: the operator has not seen its new error.
        versions = Message.objects.filter(id__in=list(chosen)).values_list("id", "replays")
        return [id_ for id_, replays in versions if not was_seen(chosen, id_, replays)]

    def _ask(self, request: HttpRequest, ids: Sequence[UUID]) -> TemplateResponse:
        # Read before the verdicts, so that the POST refuses what changes in between.
        versions = list(Message.objects.filter(id__in=ids).values_list("id", "replays"))
        tally = replay(Message.objects.filter(id__in=ids), dry_run=True)
        title = ngettext("Replay this dead letter", "Replay dead letters", len(ids))
        shown = {ReplayVerdict.RELEVANT: VERDICTS[ReplayVerdict.RELEVANT]}
        shown |= {verdict: words for verdict, words in VERDICTS.items() if tally.counts[verdict]}
        context = {
            "found": tally.dead,
            "tally": tally,
            "verdicts": list(shown.values()),
            "groups": [(group, [group.counts[verdict] for verdict in shown]) for group in tally.rows],
            "ids": form_value(versions),
        }
        return self.confirmation(request, "replay", title, ids, context)


def result_in_words(tally: Tally, asked: int) -> str:
    parts = [_("%(done)s of %(asked)s replayed.") % {"done": grouped(tally.replayed), "asked": grouped(asked)}]
    left = dict(tally.counts)
    left.pop(ReplayVerdict.RELEVANT, None)
    if left:
        counts = ", ".join(
            f"{words} ({grouped(left[verdict])})" for verdict, words in VERDICTS.items() if verdict in left
        )
        parts.append(_("Still dead: %(counts)s.") % {"counts": counts})
    if moved := asked - tally.dead:
        parts.append(changed_meanwhile(moved))
    return " ".join(parts)
