"""docs/how-to/unsubscribe.md and show-progress.md: their code runs, and their tables say what happens."""

import inspect
import re
from urllib.parse import urlsplit

import pytest
from django.template import Context, RequestContext, Template, loader
from django.test import Client, RequestFactory
from django.urls import reverse

from notifications import Draft, enqueue, is_unsubscribed, links, resubscribe, resubscribed, unsubscribe, unsubscribed
from notifications.templatetags.mailroom import email_progress
from tests.docs.pages import block, blocks, execute, rows, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

READERS, WAITING = "unsubscribe.md", "show-progress.md"
ADDRESS = "guest@example.com"


@pytest.fixture
def page():
    """The path of the address's page, and a client without cookies whose POSTs are checked."""
    return urlsplit(links.unsubscribe_url(ADDRESS)).path, Client(enforce_csrf_checks=True)


def test_requests_have_the_effects_of_the_table(page):
    path, client = page
    asks, one_click, button, other = [effect for _, effect in rows(READERS, "| request | effect |")]
    shown = client.get(path).text
    assert asks.startswith("asks")
    assert not is_unsubscribed(ADDRESS)
    assert client.post(path, {"a": "form"}).status_code == int(re.search(r"\d+", other)[0])
    assert not is_unsubscribed(ADDRESS)
    (body,) = re.findall(r"exactly `(.*?)`", text_of(READERS))
    client.post(path, body, content_type="application/x-www-form-urlencoded")
    assert one_click.startswith("unsubscribes")
    assert is_unsubscribed(ADDRESS)
    assert "subscribes again" in button
    resubscribe(ADDRESS)
    name, value = re.search(r'name="(\w+)"\s+value="([\w-]+)"', shown).groups()
    client.post(path, {name: value})
    assert is_unsubscribed(ADDRESS)


def test_preference_of_a_project_is_connected_in_both_directions():
    heard = []

    def clear_tick_box(addresses, **values):
        heard.append(("cleared", list(addresses)))

    def set_tick_box(addresses, **values):
        heard.append(("set", list(addresses)))

    execute(block(READERS, "unsubscribed.connect"), clear_tick_box=clear_tick_box, set_tick_box=set_tick_box)
    try:
        unsubscribe(ADDRESS)
        assert resubscribe(ADDRESS)
    finally:
        unsubscribed.disconnect(clear_tick_box)
        resubscribed.disconnect(set_tick_box)
    assert heard == [("cleared", [ADDRESS]), ("set", [ADDRESS])]


def test_page_takes_the_design_of_a_project(page, settings, tmp_path):
    path, client = page
    (tmp_path / "notifications").mkdir()
    (tmp_path / "notifications" / "page.html").write_text(block(READERS, '{% extends "base.html" %}'))
    required, optional = re.search(
        r"needs the\s+blocks (.*?); the\s+blocks (.*?) are\s+optional", text_of(READERS)
    ).groups()
    assert re.findall(r"`(\w+)`", optional) == ["page", "scripts"]
    base = "<i>the shop</i>" + "".join(
        f"{{% block {name} %}}{{% endblock %}}" for name in re.findall(r"`(\w+)`", required)
    )
    (tmp_path / "base.html").write_text(base)
    (first, *others) = settings.TEMPLATES
    settings.TEMPLATES = [{**first, "DIRS": [tmp_path]}, *others]
    shown = client.get(path).text
    assert "<i>the shop</i>" in shown
    assert "<form" in shown


def test_template_that_prints_the_link_has_it_in_bulk_email():
    (name,) = set(re.findall(r"\{\{ (\w+) \}\}", text_of(READERS)))
    assert name in loader.get_template("emails/layout.html").template.source


@pytest.fixture
def message():
    return enqueue(Draft(kind="account-deleted", to=ADDRESS, context={"name": "Guest"}))


def rendered(source, message):
    request = RequestFactory().get("/orders/1/")
    return Template(source).render(RequestContext(request, {"message": message}))


def test_tags_of_the_page_show_the_message(message):
    tags = [each for each in blocks(WAITING) if "{% email_progress" in each]
    assert len(tags) == 2
    for tag in tags:
        source = tag if "{% load" in tag else "{% load mailroom %}" + tag
        shown = rendered(source, message)
        assert ADDRESS in shown
        poll = re.search(r'data-poll-url="([^"]*)"', shown)[1].replace("&amp;", "&")
        assert Client().get(poll).status_code == 200
    (hint,) = re.findall(r'hint="(.*?)" resend', tags[1])
    assert hint in shown


def test_table_has_the_arguments_of_the_tag(message):
    given = [row[0].strip("`") for row in rows(WAITING, "| argument | meaning |")]
    for argument in given:
        assert rendered(f"{{% load mailroom %}}{{% email_progress message {argument} %}}", message)
    parameters = inspect.signature(email_progress).parameters
    assert {argument.partition("=")[0] for argument in given} == set(parameters) - {"context", "message", "waiting"}


def test_address_of_the_progress_is_that_of_the_urls(message):
    (prefix,) = re.findall(r"`(/email-progress/)…/`", text_of(WAITING))
    shown = rendered("{% load mailroom %}{% email_progress message %}", message)
    assert f'data-poll-url="{prefix}' in shown
    assert reverse("notifications:unsubscribe", args=["x"]).startswith("/unsubscribe/")


def test_tag_needs_no_request(message):
    source = "{% load mailroom %}{% email_progress message %}"
    assert ADDRESS in Template(source).render(Context({"message": message}))
