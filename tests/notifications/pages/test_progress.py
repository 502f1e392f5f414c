"""`{% email_progress %}` on any page, and the engine's URLs behind it."""

import re
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
import time_machine
from django.db.models import F
from django.template import RequestContext, Template
from django.test import Client, RequestFactory
from django.utils import timezone

from notifications import Progress, cancel
from notifications.events import suppress
from notifications.models import Message
from notifications.outbox import Draft, enqueue
from notifications.pages import progress as pages
from notifications.pages.progress_link import AGE_S, ProgressLink, progress_address_url, progress_part_url
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

PAGE = "/orders/1/?tab=email"
GUEST, OTHER = "guest@example.com", "right@example.com"


@pytest.fixture
def strict():
    """A client without cookies, whose POSTs Django's CSRF check reads."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def order():
    """A message to a recipient without an account."""
    return enqueue(Draft(kind="account-deleted", to=GUEST, context={"name": "Guest"}))


def page(message, options=""):
    request = RequestFactory().get(PAGE)
    tag = Template(f"{{% load mailroom %}}{{% email_progress message {options} %}}")
    return tag.render(RequestContext(request, {"message": message}))


def found(pattern, text):
    match = re.search(pattern, text)
    return match and match[1].replace("&amp;", "&")


def state(text):
    return found(r'data-progress="([^"]*)"', text)


def poll_url(text):
    return found(r'data-poll-url="([^"]*)"', text)


def link(message, **changes):
    values = {"message_id": message.id, "since": int(timezone.now().timestamp()), "page": PAGE}
    return ProgressLink(**values | changes).token()


def ended(message, status=Status.SENT, ago_s=61, **fields):
    sent_at = timezone.now() if status == Status.SENT else None
    died_at = timezone.now() if status == Status.DEAD else None
    Message.objects.filter(pk=message.pk).update(
        status=status,
        sent_at=sent_at,
        died_at=died_at,
        provider="ses",
        created_at=F("created_at") - timedelta(seconds=ago_s),
        **fields,
    )


def newest():
    return Message.objects.order_by("-created_at").first()


@pytest.mark.parametrize("of", [lambda m: m, lambda m: m.id, lambda m: str(m.id), lambda m: SimpleNamespace(id=m.id)])
def test_tag_shows_any_form_of_a_message(order, of, strict):
    shown = page(of(order))
    assert (state(shown), GUEST in shown) == (Progress.WAITING, True)
    ended(order, outcome="delivered")
    part = strict.get(poll_url(shown))
    assert (part.status_code, state(part.text), GUEST in part.text) == (200, Progress.DELIVERED, True)
    assert part.cookies.output() == ""


def test_tag_loads_no_inline_script_or_style(order):
    shown = page(order, "resend=True correct=True")
    assert re.findall(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|javascript:", shown) == []
    assert 'aria-live="polite"' in shown
    # Without JavaScript.
    assert f'href="{PAGE}"' in found(r"(?s)<noscript>(.*?)</noscript>", shown)


def test_page_decides_what_the_user_may_do(order, strict):
    ended(order)
    plain = page(order)
    assert "data-action" not in plain
    offered = page(order, 'resend=True correct="/mine/"')
    assert (found(r'data-action="(resend)"', offered), 'href="/mine/"' in offered) == ("resend", True)
    # A link without the permission cannot do it.
    strict.post(poll_url(plain))
    assert strict.get(progress_address_url(link(order))).status_code == 410
    assert Message.objects.count() == 1


def test_link_is_signed_and_expires(order, strict):
    url = progress_part_url(link(order))
    assert strict.get(url).status_code == 200
    assert strict.get(url[:-3] + "x/").status_code == 410
    with time_machine.travel(timezone.now() + timedelta(seconds=AGE_S + 5)):
        for answer in (strict.get(url), strict.post(url), strict.get(progress_address_url(link(order)))):
            assert answer.status_code == 410


def test_unknown_message_waits(strict):
    unknown = uuid4()
    assert state(page(unknown, f'address="{GUEST}"')) == Progress.WAITING
    token = ProgressLink(message_id=unknown, since=0, resend=True, correct=True).token()
    assert strict.post(progress_part_url(token)).status_code == 302
    assert not Message.objects.exists()


def test_page_stops_after_a_while(order):
    token = link(order, since=0)
    assert poll_url(Client().get(progress_part_url(token)).text) is None
    assert poll_url(page(order)) is not None


def test_rate_is_limited(order, strict, monkeypatch):
    monkeypatch.setattr(pages.pace, "most", 2)
    url = progress_part_url(link(order))
    answers = [strict.get(url) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1]["Retry-After"] == "60"


# --- Resend ----------------------------------------------------------------------------------------------------------


def test_email_is_resent_once_a_minute(order, strict):
    ended(order)
    url = poll_url(page(order, "resend=True"))
    for _ in range(2):
        answer = strict.post(url)
        assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert Message.objects.count() == 2
    again = newest()
    assert (again.kind, again.to_address, again.resend_of_id) == (order.kind, GUEST, order.id)
    # The page still names the first one.
    shown = page(order, "resend=True")
    assert (state(shown), found(r'data-action="(resend)"', shown)) == (Progress.WAITING, None)


@pytest.mark.parametrize("status", [Status.QUEUED, Status.SENDING, Status.UNCERTAIN])
def test_email_that_may_still_arrive_is_not_resent(status, strict):
    traits = {Status.SENDING: {"sending": True}, Status.UNCERTAIN: {"uncertain": True}}
    message = MessageFactory(kind="account-deleted", **traits.get(status, {}))
    strict.post(progress_part_url(link(message, resend=True)))
    assert Message.objects.count() == 1


def test_cancelled_email_is_sent_neither_again_nor_elsewhere(order, strict):
    assert cancel(order.id)
    ended(order, Status.CANCELLED)
    shown = page(order, "resend=True correct=True")
    assert (state(shown), "data-action" in shown) == (Progress.FAILED, False)
    strict.post(progress_part_url(link(order, resend=True)))
    assert correct(strict, order).status_code == 410
    assert Message.objects.count() == 1


def test_number_of_resends_is_limited(order, strict):
    for _ in range(9):
        ended(newest())
        strict.post(progress_part_url(link(order, resend=True)))
    assert Message.objects.count() == pages.MOST_COPIES


def test_resend_leads_to_no_other_site(order, strict):
    ended(order)
    token = link(order, resend=True, page="https://evil.example/")
    assert strict.post(progress_part_url(token))["Location"] == "/"


def test_page_without_javascript_says_how_long_to_wait(order):
    ended(order, ago_s=20)
    waits = r"(?s)<noscript>(?:(?!</noscript>).)*\b(\d+) s\b"
    assert 30 <= int(found(waits, page(order, "resend=True"))) <= 40
    ended(order, ago_s=60)
    assert found(waits, page(order, "resend=True")) is None


# --- Correct the address ---------------------------------------------------------------------------------------------


def correct(client, message, address=OTHER):
    return client.post(progress_address_url(link(message, correct=True)), {"address": address})


def test_address_is_corrected_before_the_email_is_sent(order, strict):
    form = strict.get(progress_address_url(link(order, correct=True)))
    assert f'value="{GUEST}"' in form.text
    assert correct(strict, order)["Location"] == PAGE
    order.refresh_from_db()
    assert order.status == Status.CANCELLED
    assert (newest().to_address, newest().context) == (OTHER, {"name": "Guest"})
    shown = page(order, "correct=True")
    assert (state(shown), OTHER in shown, GUEST in shown) == (Progress.WAITING, True, False)


def test_address_that_rejects_email_is_corrected(order, strict):
    ended(order, outcome="bounced")
    shown = page(order, "resend=True correct=True")
    assert (state(shown), re.findall(r'data-action="(\w+)"', shown)) == (Progress.REFUSED, ["correct"])
    correct(strict, order)
    assert newest().to_address == OTHER


def test_suppressed_address_is_corrected(strict):
    suppress.suppress(GUEST, Reason.HARD_BOUNCE, "")
    order = enqueue(Draft(kind="account-deleted", to=GUEST, context={"name": ""}))
    assert state(page(order, "correct=True")) == Progress.UNSENDABLE
    correct(strict, order)
    assert (newest().to_address, newest().status) == (OTHER, Status.QUEUED)


@pytest.mark.parametrize(
    "typed", ["", "no address", "a@example.com, b@example.com", GUEST, "a@b.example\nBcc: c@d.example"]
)
def test_unusable_address_is_shown_again(order, strict, typed):
    answer = correct(strict, order, typed)
    assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (200, True)
    assert Message.objects.get().status == Status.QUEUED


def test_second_correction_waits_a_minute(order, strict):
    correct(strict, order)
    assert correct(strict, order, "third@example.com").status_code == 200
    assert newest().to_address == OTHER
    ended(newest(), Status.QUEUED)
    assert correct(strict, order, "third@example.com").status_code == 302
    assert newest().to_address == "third@example.com"


def test_email_that_is_being_sent_goes_nowhere_else(strict):
    message = MessageFactory(kind="account-deleted", user=None, to_address=GUEST, sending=True, handed_over=True)
    answer = correct(strict, message)
    assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (200, True)
    assert Message.objects.get().status == Status.SENDING


def test_kind_that_requires_an_account_offers_no_correction(strict):
    message = MessageFactory(kind="welcome")
    assert "data-action" not in page(message, "correct=True")
    assert correct(strict, message).status_code == 410
