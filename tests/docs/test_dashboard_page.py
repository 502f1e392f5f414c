"""docs/how-to/read-the-dashboard.md: what it names is on the dashboard, and its limits are those judged by."""

import re

import pytest
from django.urls import reverse

from notifications.operations import rollups
from notifications.rules.reputation import GMAIL_COMPLAINTS, SES_BOUNCES, SES_COMPLAINTS
from tests.docs.pages import rows, text_of
from tests.notifications.admin.test_dashboard import counted, operator

__all__ = ["counted", "operator"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

PAGE = "read-the-dashboard.md"


def test_dashboard_has_what_the_page_names(operator, counted):
    named = {" ".join(name.split()) for name in re.findall(r"\*([A-Z][^*]+?)\*", text_of(PAGE))}
    shown = operator.get(reverse("admin:notifications_dashboard")).content.decode()
    assert {"Streams", "Providers", "Reputation", "Recipient domains"} <= named
    # Its row is there when there is more than one page of domains.
    assert [name for name in sorted(named - {"All others"}) if name not in shown] == []


def test_limits_are_those_that_the_dashboard_judges_by():
    shown = [re.findall(r"([\d.]+) %", f"{first} {second}") for _, first, second in rows(PAGE, "| reports |")]
    limits = (SES_BOUNCES, SES_COMPLAINTS, GMAIL_COMPLAINTS)
    assert [[float(each) / 100 for each in row] for row in shown] == [
        pytest.approx([limit.near, limit.over]) for limit in limits
    ]


def test_number_of_domains_is_that_of_the_job():
    assert f"its {rollups.DOMAINS} domains" in " ".join(text_of(PAGE).split())
