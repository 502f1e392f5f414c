"""Suppressions in the admin: listed, added by hand, and lifted once by operators with permission."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from notifications.events import lifting, suppress
from notifications.models import Suppression
from notifications.outbox import Draft, enqueue
from notifications.providers.base import connections
from notifications.providers.base.sending import ProviderError
from notifications.providers.simulator.backend import Simulator
from notifications.rules.retry import ErrorClass
from notifications.rules.suppression import Reason
from tests.factories import UserFactory
from tests.notifications.providers.base.outgoing import outgoing
from tests.scripted import ScriptedAccount
from tests.simulated import simulator

pytestmark = pytest.mark.django_db
LIST = reverse("admin:notifications_suppression_changelist")
ADD = reverse("admin:notifications_suppression_add")
ADDRESS = "ada@example.com"
WHY = "asked us by phone"


@pytest.fixture
def suppression():
    suppress.suppress(ADDRESS, Reason.HARD_BOUNCE, "550 5.1.1 no such user")
    Suppression.objects.update(provider="scripted")
    return Suppression.objects.get()


def detail(row):
    return reverse("admin:notifications_suppression_change", args=[row.pk])


def lift(row):
    return reverse("admin:notifications_suppression_lift", args=[row.pk])


def test_page_shows_the_reason(admin_client, suppression):
    page = admin_client.get(detail(suppression)).content.decode()
    assert "550 5.1.1 no such user" in page
    assert lift(suppression) in page
    assert ADDRESS in admin_client.get(LIST + "?q=ada&in_force=1").content.decode()


def test_page_leaves_out_what_has_not_happened(admin_client, suppression):
    def shown():
        form = admin_client.get(detail(suppression)).context["adminform"]
        return {name for _title, options in form.fieldsets for name in options["fields"]}

    later = {"lifted_at", "lifted_by", "why_lifted", "at_the_provider"}
    assert not shown() & later
    assert {"address", "reason", "why", "provider", "created_at"} <= shown()
    admin_client.post(lift(suppression), {"why": WHY})
    assert later <= shown()


def test_get_changes_nothing(admin_client, suppression):
    assert ADDRESS in admin_client.get(lift(suppression)).content.decode()
    assert admin_client.post(lift(suppression), {"why": "  "}).status_code == 200
    suppression.refresh_from_db()
    assert suppression.lifted_at is None


def test_lift_is_done_once_and_logged(admin_client, admin_user, suppression):
    admin_client.post(lift(suppression), {"why": "they called"})
    suppression.refresh_from_db()
    assert (suppression.lifted_by, suppression.lift_reason) == (admin_user, "they called")
    entry = LogEntry.objects.get()
    assert "they called" in entry.get_change_message()
    page = admin_client.post(lift(suppression), {"why": "again"}, follow=True)
    assert [message.level_tag for message in page.context["messages"]][-1] == "warning"
    assert LogEntry.objects.count() == 1
    assert "they called" in admin_client.get(lift(suppression)).content.decode()


def test_operator_without_permission_is_refused(suppression):
    user = UserFactory(is_staff=True)
    user.refresh_from_db()
    user.user_permissions.set(Permission.objects.filter(codename="view_suppression"))
    client = Client()
    client.force_login(user)
    assert lift(suppression) not in client.get(detail(suppression)).content.decode()
    assert client.get(lift(suppression)).status_code == 403
    assert client.post(lift(suppression), {"why": "let me"}).status_code == 403
    assert Suppression.objects.get().lifted_at is None


def test_address_is_suppressed_by_hand(admin_client):
    answer = admin_client.post(ADD, {"address": " Ada@Example.com ", "detail": WHY})
    assert answer.status_code == 302
    row = Suppression.objects.get()
    assert (row.address, row.reason, row.detail) == (ADDRESS, Reason.BY_HAND, WHY)
    assert enqueue(Draft(kind="welcome", to=ADDRESS, user=UserFactory(email=ADDRESS))).status == "suppressed"


@pytest.mark.parametrize("address", ["", "ada", "a@example.com, b@example.com", "a@example.com\nb@example.com"])
def test_invalid_address_is_not_suppressed(admin_client, address):
    assert admin_client.post(ADD, {"address": address}).status_code == 200
    assert not Suppression.objects.exists()


def test_address_is_suppressed_by_hand_only_once(admin_client):
    admin_client.post(ADD, {"address": ADDRESS})
    form = admin_client.post(ADD, {"address": ADDRESS}).context["adminform"].form
    assert form.has_error("address", "already-listed")


def test_events_are_listed(admin_client):
    assert admin_client.get(reverse("admin:notifications_providerevent_changelist") + "?q=ada").status_code == 200


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (True, lifting.REMOVED.format(provider="scripted")),
        (False, lifting.WAS_ON_NONE.format(provider="scripted")),
        (
            ProviderError(ErrorClass.MISCONFIGURED, "http-403"),
            lifting.REFUSED.format(provider="scripted", error="misconfigured: http-403"),
        ),
        (ProviderError(ErrorClass.TRANSIENT, "http-503"), ""),
        (ProviderError(ErrorClass.AMBIGUOUS, "timeout"), ""),
    ],
)
def test_lift_removes_the_address_at_the_provider(registered, suppression, answer, said):
    registered("scripted", account=lambda: ScriptedAccount(unsuppressed=answer))
    assert lifting.lift_at_providers() == 0
    suppress.lift(suppression, UserFactory(), "they called")
    assert lifting.lift_at_providers() == bool(said)
    assert Suppression.objects.get().provider_lift == said
    # Done is done; what was not is tried again, after a pause.
    Suppression.objects.update(lift_after=Now())
    registered("scripted", account=lambda: ScriptedAccount(unsuppressed=True))
    assert lifting.lift_at_providers() == (not said)


def test_page_names_the_suppressions_left(admin_client, suppression):
    suppress.suppress(ADDRESS, Reason.COMPLAINT, "")
    (shown,) = admin_client.post(lift(suppression), {"why": "they called"}, follow=True).context["messages"]
    assert str(Reason.COMPLAINT.label) in str(shown)
    for left in (Reason.UNSUBSCRIBED, None):
        other = Suppression.objects.in_force([ADDRESS]).get()
        (shown,) = admin_client.post(lift(other), {"why": "they called"}, follow=True).context["messages"]
        assert left is None or str(left.label) in str(shown)
    assert ADDRESS in str(shown)
    assert not any(str(reason.label) in str(shown) for reason in Reason)


@pytest.mark.parametrize(("query", "shown"), [("1", True), ("0", False)])
def test_list_filters_suppressions_in_force(admin_client, suppression, query, shown):
    assert (ADDRESS in admin_client.get(f"{LIST}?in_force={query}").content.decode()) == shown


def test_lift_reaches_the_simulator(settings, tmp_path, admin_client, suppression):
    Suppression.objects.update(provider="simulator")
    with simulator(tmp_path) as running:
        settings.SIMULATOR_URL = running.url
        running.set_controls("simulator", bounce_rate=1)
        Simulator().send(outgoing(to_address=ADDRESS))
        running.set_controls("simulator", bounce_rate=0)
        admin_client.post(lift(suppression), {"why": "they called"})
        assert lifting.lift_at_providers() == 1
        Simulator().send(outgoing(to_address=ADDRESS))
        connections.close_all()
        assert [entry["outcome"] for entry in running.messages()] == ["delivered", "bounced"]
    assert Suppression.objects.get().provider_lift == lifting.REMOVED.format(provider="simulator")
