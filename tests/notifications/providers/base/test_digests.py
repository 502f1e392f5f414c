"""The digests of two emails are equal if their readers get the same."""

import pytest
from django.core.mail import EmailMultiAlternatives
from hypothesis import HealthCheck, Phase, assume, given
from hypothesis import settings as hypothesis_settings

from notifications.providers.base.digests import digests
from notifications.providers.base.email_message import stored_email
from notifications.providers.base.rebuilt_email import rebuilt_email
from notifications.rules.content import packed, unpacked
from notifications.rules.shadow import differing_parts
from tests.notifications.backend.authored import emails, is_sendable


@hypothesis_settings(
    max_examples=30, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(email=emails())
def test_email_that_was_stored_has_the_digests_of_the_original(email):
    assume(is_sendable(email))
    content = unpacked(packed(stored_email(email)))
    everyone = [one.address.lower() for one in content.further]
    rebuilt = rebuilt_email(content.email, content.attachments, everyone)
    assert differing_parts(digests(email), digests(rebuilt)) == []


def email(**changes):
    own = {"subject": "Hi", "body": "Text", "from_email": "shop@example.com", "to": ["ada@example.com"]}
    made = EmailMultiAlternatives(**own | changes)
    made.attach_alternative("<p>Text</p>", "text/html")
    return made


def with_file(name="order.txt", content=b"bytes", mimetype="application/octet-stream"):
    made = email()
    made.attach(name, content, mimetype)
    return made


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        (email(), []),
        (email(headers={"Message-ID": "<1@example.com>", "Date": "Thu, 1 Jan 2026 10:00:00 -0000"}), []),
        (email(headers={"X-Mailroom-Stream": "bulk"}), []),
        (email(to=["ADA@example.com"]), ["header To differs"]),
        (email(bcc=["bob@example.com"]), ["recipients differs"]),
        (email(subject="Ho"), ["header Subject differs"]),
        (email(reply_to=["bob@example.com"]), ["header Reply-To was added"]),
        (email(body="Other"), ["part 1 (text/plain) differs"]),
        (with_file(), ["structure differs", "part 3 (application/octet-stream) was added"]),
    ],
)
def test_differences_between_emails(changed, found):
    assert differing_parts(digests(email()), digests(changed)) == found


@pytest.mark.parametrize("changes", [{"name": "invoice.txt"}, {"content": b"other"}])
def test_files_are_compared(changes):
    assert differing_parts(digests(with_file()), digests(with_file(**changes))) == [
        "part 3 (application/octet-stream) differs"
    ]


def test_digests_reveal_no_content(settings):
    one = digests(email(subject="canary", to=["canary@example.com"]))
    assert "canary" not in str(one)
    settings.SECRET_KEY = "another key"
    assert one.keys() == (other := digests(email(subject="canary", to=["canary@example.com"]))).keys()
    assert not set(one.values()) & set(other.values())
