"""The admin, the status and the commands."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from unittest import mock
from uuid import uuid4

from django.core.management import call_command
from django.test import override_settings
from django.urls import reverse

from accounts.models import User
from notifications.models import Message, ProviderEvent, Suppression
from notifications.operations import retention, rollups
from notifications.rules.states import Status
from tests.factories import MessageFactory
from tests.notifications.operations.rolled_up import counted_finally
from tests.plans.work import work

MODELS = {
    "notifications_message": [
        *("status__exact=sent", "status__exact=cancelled", "status__exact=dead", "outcome__exact=complained"),
        *("kind=never-sent", "stream__exact=bulk", "provider=another", "created_at__gte=2026-01-01+00:00:00%2B00:00"),
    ],
    "notifications_deadletter": ["kind=never-sent", "error_fingerprint=scripted/1", "provider=another"],
    "notifications_uncertainmessage": ["kind=never-sent", "provider=another"],
    "notifications_providerevent": [
        *("state__exact=unreadable", "kind__exact=complained", "bounce__exact=hard", "provider=another"),
    ],
    "notifications_suppression": ["in_force=1", "in_force=0", "reason__exact=by+hand", "provider=another"],
    "django_celery_results_taskresult": ["status=FAILURE", "task_name=none"],
    "accounts_user": ["is_staff__exact=1", "is_superuser__exact=1", "is_active__exact=0", "confirmed_at__isempty=1"],
}
SEARCHES = (
    "member77@example.com",
    "member77",
    "in-no-address",
    "gone77",
    "scripted-fill-77",
    str(uuid4()),
    "Ada",
    "e",
)


def opened(bench, name, *args, query=""):
    answer = bench.operator.get(f"{reverse(f'admin:{name}', args=args)}?{query}", follow=True)
    assert answer.status_code == 200
    return answer


def _lists_by(queries_of, name):
    def open_lists(bench):
        for model in MODELS:
            for query in queries_of(model):
                opened(bench, f"{model}_changelist", query=query)

    open_lists.__name__ = name
    work(open_lists)


_lists_by(lambda model: ["", "p=2", "all="], "operator_opens_lists")
_lists_by(lambda model: MODELS[model], "operator_filters_lists")
_lists_by(lambda model: [f"q={text}" for text in SEARCHES], "operator_searches")
_lists_by(lambda model: [f"o={column}" for column in ("1", "-2", "3", "4", "-5")], "operator_sorts")


@work
def operator_opens_pages(bench):
    opened(bench, "index")
    message = Message.objects.filter(status="sent").order_by("pk").first()
    opened(bench, "notifications_message_change", message.id)
    opened(bench, "notifications_message_history", message.id)
    opened(bench, "notifications_providerevent_change", ProviderEvent.objects.order_by("pk").first().pk)
    suppression = Suppression.objects.filter(lifted_at=None).order_by("pk").first()
    opened(bench, "notifications_suppression_change", suppression.pk)
    opened(bench, "notifications_suppression_lift", suppression.pk)
    opened(bench, "notifications_suppression_add")
    opened(bench, "accounts_user_change", bench.person.pk)
    opened(bench, "accounts_user_delete", bench.person.pk)
    opened(bench, "accounts_user_add")


@work
def operator_acts(bench):
    old = Message.objects.filter(status="sent", user__isnull=False).order_by("pk").first()
    dead = Message.objects.filter(status="dead", user__isnull=False).order_by("pk").first()
    uncertain = Message.objects.filter(status="uncertain", user__isnull=False).order_by("settle_at").first()
    again = ["resend.sent-before", "resend.sends", "replay.sends", "settle.may-arrive-twice", "retry.sends"]
    post(bench, "notifications_message_resend", old.id, request_id=uuid4(), do=again)
    messages = f"{old.id} {dead.id} {uncertain.id}"
    page = post(bench, "notifications_message_resend_many", messages=messages, request_id=uuid4(), do=again)
    bench.operator.get(page.context["live_url"])
    queued = Message.objects.filter(status="queued").order_by("pk").values_list("id", flat=True)[:50]
    post(bench, "notifications_message_cancel_many", messages=" ".join(map(str, queued)), why="test")
    post(bench, "notifications_deadletter_replay", dead.id)
    post(bench, "notifications_uncertainmessage_settle", uncertain.id, again="1")
    suppression = Suppression.objects.filter(lifted_at=None).order_by("pk").first()
    post(bench, "notifications_suppression_lift", suppression.pk, why="test")
    post(bench, "notifications_suppression_add", address="added@example.com", detail="test")
    chosen = list(Message.objects.filter(status="dead").order_by("pk").values_list("id", flat=True)[:50])
    post(bench, "notifications_deadletter_changelist", action="replay_selected", _selected_action=chosen)
    post(bench, "notifications_message_changelist", action="send_again_selected", _selected_action=chosen)


@work
def operator_steers(bench):
    opened(bench, "notifications_scheduled")
    for fields in (
        {"act": "pause", "target": "stream:bulk", "reason": "test"},
        {"act": "pause", "target": "kind:welcome", "reason": "test"},
        {"act": "release"},
        {"act": "drop", "domain": "example.com"},
        {"act": "cancel", "domain": "example.com", "since": "2026-01-01T10:00", "why": "test"},
    ):
        post(bench, "notifications_steering", **fields)
        post(bench, "notifications_steering", **fields, confirmed="1")
    opened(bench, "notifications_steering")


@work
def operator_changes_and_deletes_people(bench):
    fields = {"email": "changed@example.com", "name": "Ada", "is_active": "on"}
    post(bench, "accounts_user_change", bench.person.pk, **fields)
    post(bench, "accounts_user_delete", bench.person.pk, post="yes")
    others = list(User.objects.filter(is_superuser=False).order_by("pk").values_list("pk", flat=True)[:3])
    post(bench, "accounts_user_changelist", action="delete_selected", _selected_action=others, post="yes")


def post(bench, page, *args, **fields):
    return bench.operator.post(reverse(f"admin:{page}", args=args), fields, follow=True)


@work
def operator_reads_the_dashboard(bench):
    for name in ("dashboard", "now", "history"):
        opened(bench, f"notifications_{name}")


@work
def beat_counts_hours(bench):
    rollups.due_hours()
    for hours in (0, 5, 400):
        rollups.roll_up(datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours))


@work
def operator_reads_explanations(bench):
    for status in Status:
        for message in Message.objects.filter(status=status).order_by("pk")[:1]:
            opened(bench, "notifications_message_change", message.id)
            call_command("explain", str(message.id), stdout=StringIO())
    for what in ("member77@example.com", "scripted-fill-77", "fill:77"):
        call_command("explain", what, "--json", stdout=StringIO())


@work
def commands_run(bench):
    output = StringIO()
    MessageFactory(user=bench.person, status="dead", error_fingerprint="late/two")
    call_command("replay_dead", "--error", "late/", "--dry-run", stdout=output)
    call_command("replay_dead", "--error", "late/", stdout=output)
    call_command("shadow_report", stdout=output)


@work
def old_rows_are_pruned(bench):
    # The tables of these tests hold less than the shortest time.
    counted_finally(days=60)
    with mock.patch.object(retention, "kept_days", return_value=27), override_settings(KEEP_RESULTS_DAYS=6):
        dict(retention.count_old_rows())
        assert retention.delete_old_rows().count(",") == 4
