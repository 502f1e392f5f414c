"""What the report of a trial counts, and when it ends with an error."""

import json
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db.models.functions import Now

from notifications.models import ShadowCopy
from notifications.operations.retention import SHADOW_DAYS, delete_old_rows
from notifications.operations.shadow_report import shadow_report
from notifications.rules.shadow import KIND
from notifications.rules.states import Status
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db


def copy(status=Status.CANCELLED, reason="", *, composed=False, aged_s=0, **fields):
    message = MessageFactory(kind=KIND, user=None, to_address="ada@example.com", status=status, status_reason=reason)
    row = ShadowCopy.objects.create(**{"id": message.id, "old_ms": 100.0, "new_ms": 4.0} | fields)
    created_at = Now() - timedelta(seconds=aged_s)
    ShadowCopy.objects.filter(id=row.id).update(created_at=created_at, composed_at=Now() if composed else None)
    return str(row.id)


def report():
    out, code = StringIO(), 0
    try:
        call_command("shadow_report", stdout=out)
    except SystemExit as ended:
        code = ended.code
    *text, last = out.getvalue().splitlines()
    return code, json.loads(last), "\n".join(text)


def test_equal_emails_end_without_an_error():
    copy(composed=True, aged_s=2)
    copy(composed=True, aged_s=2, old_ms=300.0)
    copy(Status.QUEUED)
    code, figures, text = report()
    assert code == 0
    assert (figures["copies"], figures["is_equal"]) == (3, True)
    assert figures["mailroom"] == {"equal": 2, "different": 0, "failed": 0, "withheld": 0, "late": 0, "waiting": 1}
    assert (figures["old_ms"]["p50"], figures["mailroom_ms"]["p95"]) == (100.0, 4.0)
    assert 2 <= figures["hand_over_s"]["p50"] < 60
    assert "100.00 ms" in text


def test_failure_of_the_present_backend_is_no_difference():
    copy(composed=True, old_error="SMTPDataError")
    code, figures, text = report()
    assert (code, figures["old_accepted"], figures["old_failed"]) == (0, 0, 1)
    assert "SMTPDataError" in text


@pytest.mark.parametrize(
    ("result", "what", "fields"),
    [
        ("different", "header Subject differs", {"composed": True, "differences": ["header Subject differs"]}),
        ("failed", "NoContentError", {"composed": True, "new_error": "NoContentError"}),
        ("withheld", "suppressed: hard", {"status": Status.SUPPRESSED, "reason": "suppressed: hard"}),
        ("late", "queued", {"status": Status.QUEUED, "aged_s": 70}),
    ],
)
def test_each_difference_is_an_error_and_names_a_message(result, what, fields):
    example = copy(**fields)
    copy(composed=True)
    code, figures, text = report()
    assert (code, figures["mailroom"][result], figures["mailroom"]["equal"]) == (1, 1, 1)
    assert what in text
    assert example in text


def test_email_that_was_not_queued_has_no_message():
    ShadowCopy.objects.create(id=uuid4(), old_ms=1, new_ms=1, new_error="BadEmailMessageError")
    code, figures, _ = report()
    assert (code, figures["mailroom"]["failed"]) == (1, 1)


def test_trial_without_emails_is_an_error():
    copy(composed=True, aged_s=25 * 3600)
    code, figures, _ = report()
    assert (code, figures["copies"], figures["old_ms"]) == (1, 0, {"p50": None, "p95": None})
    assert shadow_report(hours=26, most=1).is_equal


def test_old_copies_are_deleted():
    copy(composed=True, aged_s=(SHADOW_DAYS - 1) * 86_400)
    old = copy(composed=True, aged_s=(SHADOW_DAYS + 1) * 86_400)
    assert "1 shadow copies" in delete_old_rows()
    assert ShadowCopy.objects.count() == 1
    assert not ShadowCopy.objects.filter(id=old).exists()
