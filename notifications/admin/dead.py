"""Dead letters: their errors, and the replay of those that are still relevant."""

from collections.abc import Sequence
from itertools import starmap
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from notifications.admin import chosen as page
from notifications.admin.large_lists import DayFilter, ValuesFilter
from notifications.admin.recipient import recipient
from notifications.admin.waiting import WaitingAdmin
from notifications.delivery.replay import ReplayVerdict, Tally, replay
from notifications.models import DeadLetter, Message


@admin.register(DeadLetter)
class DeadLetterAdmin(WaitingAdmin):
    act = "replay"
    # Their ids must fit into DATA_UPLOAD_MAX_MEMORY_SIZE. `manage.py replay_dead` has no limit.
    most_at_once = 5_000
    list_display = [recipient, "kind", "error_fingerprint", "died_at", "attempts", "replays"]
    list_filter = [
        ("kind", ValuesFilter),
        ("error_fingerprint", ValuesFilter),
        ("provider", ValuesFilter),
        DayFilter,
    ]
    newest_by = "died_at"
    ordering = ["-died_at"]
    actions = ["replay_selected"]

    def every_row(self, request: HttpRequest) -> QuerySet[Message, Message]:
        # All have a time of death; named so that the planner knows the index.
        rows = super().every_row(request).filter(died_at__isnull=False)
        fingerprint = request.GET.get("error_fingerprint")
        return rows.filter(error_fingerprint=fingerprint) if fingerprint else rows

    @admin.action(description="Replay selected dead letters", permissions=["resend"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[Message, Message]) -> HttpResponse | None:
        ids = self.chosen(request, queryset)
        return self._ask(request, ids) if ids else None

    def act_view(self, request: HttpRequest, chosen: page.Chosen) -> HttpResponse:
        # GET shows what a replay would do; POST replays what is still relevant then.
        ids = list(chosen)
        if request.method != "POST":
            return self._ask(request, ids)
        tally = replay(
            Message.objects.filter(id__in=ids).exclude(id__in=self._died_again(chosen)),
            dry_run=False,
            notify=lambda replayed: self.log(request, replayed, "Replayed."),
        )
        level = messages.SUCCESS if tally.replayed else messages.WARNING
        self.message_user(request, said(tally, len(ids)), level)
        return self.back(ids)

    def _died_again(self, chosen: page.Chosen) -> list[UUID]:
        # A message replayed since the page was shown: the operator has not seen its new error.
        lives = Message.objects.filter(id__in=list(chosen)).values_list("id", "replays")
        return [id_ for id_, replays in lives if chosen[id_] is not None and chosen[id_] != replays]

    def _ask(self, request: HttpRequest, ids: Sequence[UUID]) -> TemplateResponse:
        # Read before they are judged: what changes in between is refused afterwards.
        lives = list(Message.objects.filter(id__in=ids).values_list("id", "replays"))
        tally = replay(Message.objects.filter(id__in=ids), dry_run=True)
        context = {
            **self.admin_site.each_context(request),
            "title": "Replay dead letters" if len(ids) != 1 else "Replay this dead letter",
            "opts": self.opts,
            "tally": tally,
            "verdicts": list(ReplayVerdict),
            "lines": [(row, [row.counts[verdict] for verdict in ReplayVerdict]) for row in tally.rows],
            "ids": " ".join(starmap(page.written, lives)),
        }
        return TemplateResponse(request, "admin/notifications/deadletter/replay.html", context)


def said(tally: Tally, asked: int) -> str:
    parts = [f"{tally.replayed:,} of {asked:,} replayed."]
    counts = tally.counts
    if kept := [
        f"{counts[verdict]:,} {verdict}"
        for verdict in ReplayVerdict
        if verdict is not ReplayVerdict.RELEVANT and counts[verdict]
    ]:
        parts.append(f"Still dead: {', '.join(kept)}.")
    if moved := asked - tally.dead:
        parts.append(f"{moved:,} had already changed status.")
    return " ".join(parts)
