"""A batch at aws-ses-v2-local, a double of SES that is not of this project."""

import pytest
import requests

from notifications.providers.base import connections
from notifications.providers.base.sending import Accepted
from notifications.providers.ses.backend import Ses
from tests.notifications.providers.base.batch_contract import HTML, TEXT, batch_to, recipient
from tests.notifications.providers.ses.ses_double import ses_double

CSS = "<style>p {color: red} @media (x) {p {color: blue}}</style>"


@pytest.fixture
def double(tmp_path, settings, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    with ses_double(tmp_path) as url:
        settings.SES_REGION, settings.SES_ENDPOINT_URL = "eu-central-1", url
        connections.close_all()
        yield url
        connections.close_all()


def test_template_in_the_request_gives_each_recipient_a_complete_email(double):
    # The double takes no names.
    batch = batch_to(
        recipient(1, to_name=""),
        recipient(2, to_name="", fields={HTML: "<b>&amp;</b> {{subject}} {", TEXT: "{{field0}} & \"'<"}),
        recipient(3, to_name="", fields={HTML: "", TEXT: ""}),
        text=f"Hello {{{TEXT}}}\n{{{{#if x}}}}\\{TEXT}\\{{{{/if}}}}",
        html=f"{CSS}<p>{{{HTML}}}</p>",
    )
    answers = Ses().send_batch(batch)
    assert [str(answer) for answer in answers if not isinstance(answer, Accepted)] == []
    emails = requests.get(f"{double}/store", timeout=10).json()["emails"]
    found = {email["messageId"]: email for email in emails}
    for one, answer in zip(batch.recipients, answers, strict=True):
        email, alone = found[answer.provider_message_id], batch.email_to(one)
        assert email["destination"]["to"] == [one.to_address]
        assert email["subject"] == alone.subject
        assert (email["body"]["text"], email["body"]["html"]) == (alone.text, alone.html)
