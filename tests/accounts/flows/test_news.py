"""The consent to news agrees between the account, the suppressions and the provider."""

from urllib.parse import urlsplit

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.flows import address, confirming
from accounts.models import User
from accounts.tokens import address_change_tokens
from notifications import Refusal, is_unsubscribed
from notifications.events import consent, lifting, suppress
from notifications.links import unsubscribe_url
from notifications.models import Message, Suppression
from notifications.outbox import Draft, enqueue
from notifications.rules.outcomes import EventType
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory, UserFactory
from tests.notifications.events.test_apply import reported
from tests.scripted import ScriptedAccount
from tests.scripted_webhook import ScriptedWebhook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

ADDRESS = "ada@example.com"


@pytest.fixture(autouse=True)
def scripted_webhook(registered):
    registered("scripted", webhook=ScriptedWebhook)


@pytest.fixture
def ada():
    user = UserFactory(email=ADDRESS, wants_news=True, confirmed_at=timezone.now())
    user.refresh_from_db()
    return user


@pytest.fixture
def browser(client, ada):
    client.force_login(ada)
    return client


def leaves(kind="unsubscribed", **more):
    reported(MessageFactory(status=Status.SENT, sent_at=Now(), to_address=ADDRESS), kind, recipient=ADDRESS, **more)


def wants_news():
    return User.objects.get(email=ADDRESS).wants_news


def save(browser, *, shown, ticked, name="Ada"):
    """Post the preferences from a page that showed this answer."""
    fields = {"name": name, "language": "en", "initial-wants_news": str(shown)}
    return browser.post(reverse("accounts:preferences"), fields | ({"wants_news": "on"} if ticked else {}))


def news(user):
    return enqueue(Draft(kind="product-news", to=user.email, user=user, context={"headline": "News"})).status


def in_force():
    return {row.reason for row in Suppression.objects.in_force([ADDRESS])}


@pytest.mark.parametrize(
    ("kind", "more", "still"),
    [
        ("unsubscribed", {}, False),
        ("complained", {}, False),
        ("rejected", {"also": "unsubscribed"}, False),
        ("bounced", {"bounce": "soft"}, True),
        ("delivered", {}, True),
    ],
)
def test_unsubscribing_at_the_provider_turns_news_off(ada, kind, more, still):
    leaves(kind, **more)
    assert wants_news() is still


def test_resubscribing_lifts_the_address_here_and_at_the_provider(ada, browser, registered):
    account = ScriptedAccount()
    registered("scripted", account=lambda: account)
    leaves()
    assert news(ada) == Status.SUPPRESSED
    save(browser, shown=False, ticked=True)
    assert wants_news()
    assert in_force() == set()
    assert Suppression.objects.get().lift_reason == consent.CAME_BACK
    assert news(ada) == Status.QUEUED
    assert lifting.lift_at_providers() == 1
    assert account.asked == [(ADDRESS, Reason.UNSUBSCRIBED)]


def test_late_unsubscribe_report_changes_nothing_after_resubscribing(ada, browser):
    leaves(at="2026-01-01T00:00:00Z")
    save(browser, shown=False, ticked=True)
    leaves(at="2026-01-01T00:00:01Z")
    assert (wants_news(), in_force()) == (True, set())


def test_second_unsubscribe_holds(ada, browser):
    leaves()
    save(browser, shown=False, ticked=True)
    leaves()
    assert (wants_news(), in_force()) == (False, {Reason.UNSUBSCRIBED})


def test_outdated_preferences_page_does_not_resubscribe(ada, browser):
    leaves()
    save(browser, shown=True, ticked=True, name="Ada Lovelace")
    assert (wants_news(), in_force()) == (False, {Reason.UNSUBSCRIBED})
    assert User.objects.get(email=ADDRESS).name == "Ada Lovelace"


def test_preferences_page_posts_the_shown_answer(ada, browser):
    page = browser.get(reverse("accounts:preferences")).content.decode()
    assert 'name="initial-wants_news" value="True"' in page
    assert "checked" in page


def test_resubscribing_lifts_no_complaint_and_no_hard_bounce(ada, browser):
    leaves("complained")
    leaves("bounced", bounce="hard")
    save(browser, shown=False, ticked=True)
    assert in_force() == {Reason.COMPLAINT, Reason.HARD_BOUNCE}


def test_consent_at_sign_up_takes_effect_when_the_address_is_confirmed():
    suppress.suppress(ADDRESS, Reason.UNSUBSCRIBED, "")
    user = User.objects.create_user(ADDRESS, "a password", wants_news=True)
    assert in_force() == {Reason.UNSUBSCRIBED}
    assert confirming.confirm_address(user)
    assert (in_force(), wants_news()) == (set(), True)


def test_confirming_without_consent_lifts_nothing():
    suppress.suppress(ADDRESS, Reason.UNSUBSCRIBED, "")
    assert confirming.confirm_address(User.objects.create_user(ADDRESS, "a password", wants_news=False))
    assert in_force() == {Reason.UNSUBSCRIBED}


def test_change_to_an_unsubscribed_address_turns_news_off(ada):
    suppress.suppress("new@example.com", Reason.UNSUBSCRIBED, "")
    User.objects.filter(pk=ada.pk).update(new_email="new@example.com")
    ada.refresh_from_db()
    assert address.change(ada, address_change_tokens.make_token(ada)) is address.ChangeResult.DONE
    moved = User.objects.get(pk=ada.pk)
    assert (moved.email, moved.wants_news) == ("new@example.com", False)
    assert Message.objects.filter(kind="address-changed").count() == 1


@pytest.mark.parametrize(
    ("reasons", "refusal"),
    [
        ([], None),
        ([Reason.UNSUBSCRIBED], None),
        ([Reason.HARD_BOUNCE], Refusal.BOUNCED),
        ([Reason.SOFT_BOUNCES], Refusal.BOUNCED),
        ([Reason.HARD_BOUNCE, Reason.COMPLAINT], Refusal.COMPLAINED),
        ([Reason.BY_HAND], Refusal.BLOCKED),
    ],
)
def test_account_page_explains_why_the_address_gets_no_email(ada, browser, reasons, refusal):
    for reason in reasons:
        suppress.suppress(ADDRESS, reason, "")
    assert browser.get(reverse("accounts:home")).context["reachability"].refusal == refusal


# --- One fact, wherever it changes ------------------------------------------------------------------------------------


def by_one_click(browser, ada):
    Client().post(urlsplit(unsubscribe_url(ADDRESS)).path, {"List-Unsubscribe": "One-Click"})


def by_page(browser, ada):
    Client().post(urlsplit(unsubscribe_url(ADDRESS)).path, {"action": "unsubscribe"})


def by_page_again(browser, ada):
    Client().post(urlsplit(unsubscribe_url(ADDRESS)).path, {"action": "resubscribe"})


def in_preferences(browser, ada):
    save(browser, shown=True, ticked=False)


def in_preferences_again(browser, ada):
    save(browser, shown=False, ticked=True)


def by_report(browser, ada):
    leaves()


def by_complaint(browser, ada):
    leaves("complained")


def by_operator(browser, ada):
    for suppression in Suppression.objects.in_force([ADDRESS]):
        suppress.lift(suppression, ada, "they asked for it")


def decided_at():
    return User.objects.get(email=ADDRESS).news_decided_at


def facts(browser):
    """Return what the preference, the suppression and both pages say."""
    page = Client().get(urlsplit(unsubscribe_url(ADDRESS)).path).text
    box = browser.get(reverse("accounts:preferences")).context["form"]["wants_news"]
    return {
        wants_news(),
        not is_unsubscribed(ADDRESS),
        'data-subscription="subscribed"' in page,
        bool(box.initial),
    }


@pytest.mark.parametrize("leave", [by_one_click, by_page, in_preferences, by_report, by_complaint])
def test_each_way_to_unsubscribe_is_shown_everywhere(ada, browser, leave):
    assert facts(browser) == {True}
    leave(browser, ada)
    assert facts(browser) == {False}
    assert news(ada) == Status.SUPPRESSED
    assert decided_at() is not None


@pytest.mark.parametrize("come_back", [by_page_again, in_preferences_again, by_operator])
@pytest.mark.parametrize("leave", [by_one_click, in_preferences, by_report])
def test_each_way_to_subscribe_again_is_shown_everywhere(ada, browser, leave, come_back):
    leave(browser, ada)
    left_at = decided_at()
    come_back(browser, ada)
    assert facts(browser) == {True}
    assert news(ada) == Status.QUEUED
    assert decided_at() > left_at


@pytest.mark.parametrize("come_back", [by_page_again, in_preferences_again])
def test_complaint_ends_with_an_operator_and_leaves_the_reader_unsubscribed(ada, browser, come_back):
    by_complaint(browser, ada)
    come_back(browser, ada)
    assert facts(browser) == {False}
    by_operator(browser, ada)
    assert (facts(browser), in_force()) == ({False}, {Reason.UNSUBSCRIBED})
    come_back(browser, ada)
    assert (facts(browser), in_force()) == ({True}, set())


def test_email_marked_as_no_spam_leaves_the_reader_unsubscribed(ada, browser):
    by_complaint(browser, ada)
    leaves(EventType.NOT_SPAM)
    assert (facts(browser), in_force()) == ({False}, {Reason.UNSUBSCRIBED})


def test_account_with_an_unconfirmed_address_is_not_subscribed_by_a_link():
    # Another person may have signed up with the reader's address.
    UserFactory(email=ADDRESS, wants_news=False)
    by_page(None, None)
    by_page_again(None, None)
    assert (wants_news(), is_unsubscribed(ADDRESS)) == (False, False)


@pytest.mark.parametrize("ticked", [False, True])
def test_sign_up_asks_and_keeps_the_date(client, ticked):
    page = client.get(reverse("accounts:sign-up"))
    assert page.context["form"]["wants_news"].value() is False
    fields = {"email": ADDRESS, "password": "correct horse battery"} | ({"wants_news": "on"} if ticked else {})
    client.post(reverse("accounts:sign-up"), fields)
    user = User.objects.get()
    assert (user.wants_news, user.news_decided_at is not None) == (ticked, True)


def test_account_that_was_never_asked_gets_no_news():
    user = User.objects.create_user(ADDRESS, "a password")
    user.refresh_from_db()
    assert (user.wants_news, user.news_decided_at) == (False, None)
