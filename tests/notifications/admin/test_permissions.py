"""Pages and actions of the admin with each set of permissions. Without the permission, no address is shown."""

from datetime import timedelta
from itertools import chain
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.db.models.functions import Now
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from notifications.models import DeliveryAttempt, Message, ProviderEvent, Suppression
from notifications.rules.states import Status
from tests.factories import MessageFactory, UserFactory

pytestmark = pytest.mark.django_db
ADDRESS = "ada.lovelace@secret.example"


def ids():
    """Return the ids of one row of each model, all with one address."""
    user = UserFactory(email=ADDRESS)
    message = MessageFactory(user=user, kind="password-changed", status=Status.SENT, sent_at=Now())
    DeliveryAttempt.objects.create(message=message, number=1, provider="ses", result="accepted")
    event = ProviderEvent.objects.create(
        provider="ses", event_id="1", payload={"to": ADDRESS}, message=message, recipient=ADDRESS
    )
    return {
        User: user.pk,
        Message: message.pk,
        ProviderEvent: event.pk,
        Suppression: Suppression.objects.create(address=ADDRESS, reason="unsubscribed").pk,
        "deadletter": MessageFactory(user=user, kind="password-changed", status=Status.DEAD).pk,
        "waiting": MessageFactory(user=user, kind="password-changed", due_at=Now() + timedelta(hours=1)).pk,
        "uncertainmessage": MessageFactory(user=user, kind="password-changed", uncertain=True).pk,
    }


def pages():
    """Yield the URL of every named page of the admin, whatever application has registered it."""
    rows = ids()
    for pattern in chain.from_iterable(model_admin.urls for model_admin in admin.site._registry.values()):
        if not pattern.name:
            continue
        models = [model for model in admin.site._registry if pattern.name.startswith(_prefix(model))]
        # Django names the page of a password after auth.User.
        model = models[0] if models else User
        row = rows.get(model, rows.get(model._meta.model_name, 1))
        for arguments in ([], [row]):
            try:
                yield reverse(f"admin:{pattern.name}", args=arguments)
            except NoReverseMatch:
                continue
            break


def _prefix(model):
    return f"{model._meta.app_label}_{model._meta.model_name}_"


def shows_no_address(codename):
    """Return whether the permission shows no rows with the address."""
    act, _, model = codename.partition("_")
    return act == "add" or model not in {"user", "message", "providerevent", "suppression"}


def client_with(*codenames):
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_without_permissions_sees_no_page(method):
    client = client_with()
    for url in pages():
        answer = getattr(client, method)(url)
        # For a missing row, the admin shows a message on the index.
        if answer.status_code not in {403, 404, 405} and answer["Location"] != reverse("admin:index"):
            assert client.get(answer["Location"]).status_code == 403, url
        assert ADDRESS not in answer.content.decode()


def test_permissions_that_show_no_rows_show_no_address():
    urls = list(pages())
    codenames = [code for code in Permission.objects.values_list("codename", flat=True) if shows_no_address(code)]
    client = client_with(*codenames)
    for url in urls:
        for method in ("get", "post"):
            answer = getattr(client, method)(url, follow=True)
            assert ADDRESS not in answer.content.decode(), (method, url)


def test_view_permissions_change_nothing():
    urls = list(pages())
    client = client_with(*Permission.objects.filter(codename__startswith="view_").values_list("codename", flat=True))

    def everything():
        return [list(model.objects.order_by("pk").values()) for model in (User, Message, Suppression, ProviderEvent)]

    client.get("/admin/")
    before = everything()
    for url in urls:
        client.post(url, {"request_id": uuid4(), "again": "1", "why": "x", "post": "yes", "email": "x@example.com"})
    assert everything() == before


def again(key):
    return {"request_id": str(uuid4()), "do": key}


ACTIONS = {
    "resend": ("notifications_message_resend", Message, again("resend.sent-before"), "message", "resend_message"),
    "retry": ("notifications_message_resend", "waiting", again("retry.sends"), "message", "resend_message"),
    "cancel": ("notifications_message_cancel", "waiting", {"why": "asked"}, "message", "cancel_message"),
    "replay": ("notifications_deadletter_replay", "deadletter", {}, "message", "replay_message"),
    "replay by the list": (
        "notifications_message_resend",
        "deadletter",
        again("replay.sends"),
        "message",
        "replay_message",
    ),
    "settle": ("notifications_uncertainmessage_settle", "uncertainmessage", {"drop": "1"}, "message", "settle_message"),
    "settle by the list": (
        *("notifications_message_resend", "uncertainmessage", again("settle.may-arrive-twice"), "message"),
        "settle_message",
    ),
    "lift": ("notifications_suppression_lift", Suppression, {"why": "asked"}, "suppression", "lift_suppression"),
}


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("permissions", ["none", "view", "act", "both"])
def test_action_needs_its_permission_and_the_view(name, permissions):
    url, row, fields, model, act = ACTIONS[name]
    codenames = {"none": [], "view": [f"view_{model}"], "act": [act], "both": [f"view_{model}", act]}[permissions]
    rows = ids()
    client = client_with(*codenames)

    def changing():
        messages = Message.objects.order_by("pk").values_list("status", "due_at")
        return [list(messages), list(Suppression.objects.values_list("lifted_at"))]

    before = changing()
    answer = client.post(reverse(f"admin:{url}", args=[rows[row]]), fields)
    after = changing()
    assert answer.status_code == (302 if permissions == "both" else 403)
    assert (after != before) is (permissions == "both")


@pytest.mark.parametrize("codenames", [("add_suppression",), ("add_suppression", "view_suppression")])
def test_adding_a_suppression_needs_the_view(codenames):
    client = client_with(*codenames)
    fields = {"address": "new@example.com", "detail": "asked"}
    client.post(reverse("admin:notifications_suppression_add"), fields)
    assert Suppression.objects.exists() is (len(codenames) == 2)


def test_suppression_added_by_another_operator_is_reported(admin_client, monkeypatch):
    monkeypatch.setattr("notifications.admin.suppression.ByHandForm.clean_address", lambda form: "a@example.com")
    fields = {"address": "a@example.com", "detail": "asked"}
    for _ in range(2):
        page = admin_client.post(reverse("admin:notifications_suppression_add"), fields, follow=True)
    assert [message.level_tag for message in page.context["messages"]] == ["warning"]
    assert Suppression.objects.count() == 1


# --- Permissions of others ---

STAFF_OF_PEOPLE = ("view_user", "add_user", "change_user", "delete_user", "view_group", "add_group", "change_group")
POWER = {"is_superuser": "on", "is_staff": "on", "user_permissions": ["1"]}


def change(client, user, **fields):
    url = reverse("admin:accounts_user_change", args=[user.pk])
    return client.post(url, {"email": user.email, "name": user.name, "is_active": "on", **fields})


def powers(user):
    user.refresh_from_db()
    groups, permissions = list(user.groups.values_list("pk")), list(user.user_permissions.values_list("pk"))
    return user.is_staff, user.is_superuser, groups, permissions


def test_staff_grants_no_permissions():
    group = Group.objects.create(name="all")
    user = UserFactory()
    answer = change(client_with(*STAFF_OF_PEOPLE), user, **POWER, groups=[str(group.pk)], name="Ada")
    assert answer.status_code == 302
    assert powers(user) == (False, False, [], [])
    assert user.name == "Ada"


def test_staff_changes_and_deletes_no_privileged_account():
    client = client_with(*STAFF_OF_PEOPLE)
    myself = User.objects.get(pk=client.session["_auth_user_id"])
    for user in (myself, UserFactory(is_staff=True), UserFactory(is_superuser=True)):
        before, password = powers(user), user.password
        assert change(client, user, **POWER, email="mine@example.com").status_code == 403
        new = {"password1": "correct horse 1", "password2": "correct horse 1", "usable_password": "true"}
        assert client.post(reverse("admin:auth_user_password_change", args=[user.pk]), new).status_code == 403
        assert client.post(reverse("admin:accounts_user_delete", args=[user.pk]), {"post": "yes"}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
        client.post(reverse("admin:accounts_user_changelist"), chosen)
        assert powers(user) == before
        assert user.password == password


@pytest.mark.parametrize("url", ["add", "change", "delete"])
def test_groups_are_changed_by_superusers_alone(admin_client, url):
    group = Group.objects.create(name="all")
    path = reverse(f"admin:auth_group_{url}", args=[] if url == "add" else [group.pk])
    everything = ("add_group", "change_group", "delete_group", "view_group")
    fields = {"name": "others", "permissions": [Permission.objects.first().pk], "post": "yes"}
    assert client_with(*everything).post(path, fields).status_code == 403
    group.refresh_from_db()
    assert group.name == "all"
    assert admin_client.post(path, fields).status_code == 302


def test_superuser_grants_and_revokes_permissions(admin_client):
    user = UserFactory()
    change(admin_client, user, is_staff="on", is_superuser="on")
    assert powers(user)[:2] == (True, True)
    change(admin_client, user)
    assert powers(user)[:2] == (False, False)


def test_log_names_people_only_to_staff_that_may_view_accounts():
    user = UserFactory(email=ADDRESS)
    LogEntry.objects.create(user=user, object_id=str(user.pk), object_repr=ADDRESS, action_flag=CHANGE)
    path = reverse("admin:admin_logentry_changelist")
    assert client_with("view_logentry").get(path).status_code == 403
    assert ADDRESS in client_with("view_logentry", "view_user").get(path).content.decode()


@pytest.mark.parametrize("chosen", ["abc", "", "\x00", "9" * 400, "-1"])
def test_choice_of_no_row_is_refused(admin_client, chosen):
    MessageFactory()
    before = Message.objects.count(), User.objects.count()
    for model, model_admin in admin.site._registry.items():
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for action in ("delete_selected", *(model_admin.actions or ())):
            fields = {"action": action, "_selected_action": chosen, "post": "yes"}
            assert admin_client.post(path, fields).status_code < 500, (path, action)
    assert (Message.objects.count(), User.objects.count()) == before


def test_page_of_an_account_shows_no_hash():
    user = UserFactory()
    user.set_password("a long password")
    user.save()
    page = client_with("view_user").get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()
    assert user.email in page
    assert user.password not in page
