"""Links between an account and its messages, for staff who may view both."""

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from notifications import messages_url
from notifications.admin import large_lists
from tests.factories import MessageFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:notifications_message_changelist")


def account_url(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def message_url(message):
    return reverse("admin:notifications_message_change", args=[message.id])


def listed(client, url):
    return list(client.get(url).context["cl"].queryset)


def test_account_links_to_its_messages_however_old(admin_client, monkeypatch):
    user = UserFactory()
    message = MessageFactory(user=user, created_at="2020-01-01T00:00:00Z")
    MessageFactory.create_batch(3)
    monkeypatch.setattr(large_lists, "NEWEST", 2)
    url = messages_url(user)
    assert url in admin_client.get(account_url(user)).content.decode()
    assert listed(admin_client, url) == [message]
    assert message not in listed(admin_client, LIST)


def test_messages_of_an_account_can_be_filtered(admin_client):
    user = UserFactory()
    sent = MessageFactory(user=user, status="sent", sent_at=Now())
    MessageFactory(user=user)
    MessageFactory(status="sent", sent_at=Now())
    assert listed(admin_client, f"{messages_url(user)}&outcome__exact=unknown&status__exact=sent") == [sent]


@pytest.mark.parametrize("key", ["abc", "0", "9" * 40, "\x01"])
def test_unknown_account_has_no_messages(admin_client, key):
    MessageFactory()
    page = admin_client.get(LIST, {"user": key}, follow=True)
    assert list(page.context["cl"].queryset) == []
    assert [message.level_tag for message in page.context["messages"]] == ["warning"]


def test_deleted_account_has_no_messages(admin_client):
    user = UserFactory()
    MessageFactory(user=user)
    url = messages_url(user)
    user.delete()
    assert listed(admin_client, url) == []


def test_empty_account_is_no_filter(admin_client):
    message = MessageFactory()
    assert message in admin_client.get(LIST, {"user": ""}, follow=True).context["cl"].queryset


@pytest.mark.parametrize("codenames", [("view_user",), ("view_user", "view_message")])
def test_link_to_messages_needs_the_permission_to_view_them(staff, codenames):
    user = UserFactory()
    page = staff(*codenames).get(account_url(user)).content.decode()
    assert (messages_url(user) in page) is ("view_message" in codenames)


@pytest.mark.parametrize("codenames", [("view_message",), ("view_user", "view_message")])
def test_link_to_the_account_needs_the_permission_to_view_it(staff, codenames):
    message = MessageFactory(to_address="other@example.com")
    client = staff(*codenames)
    for url in (message_url(message), messages_url(message.user)):
        page = client.get(url).content.decode()
        assert (message.user.email in page) is ("view_user" in codenames), url
    assert (account_url(message.user) in client.get(message_url(message)).content.decode()) is (
        "view_user" in codenames
    )


def test_new_account_has_no_link(admin_client):
    assert "user=" not in admin_client.get(reverse("admin:accounts_user_add")).content.decode()
