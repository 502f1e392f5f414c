"""Subscriptions: which are confirmed, and at which URL."""

import pytest

from notifications.providers.base.webhook import CannotVerifyError
from notifications.providers.ses import fetching
from notifications.providers.ses.webhook import TOPIC_VALIDATED, SesWebhook
from tests.notifications.providers.base import signing
from tests.notifications.providers.base.refusals import refused
from tests.notifications.providers.base.signing import CERTIFICATE_PATH, HOST, TOPIC, as_posted
from tests.notifications.providers.ses.amazon import cut, hang

ses = SesWebhook()


@pytest.mark.parametrize("name", ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"])
def test_one_byte_changed_in_a_confirmation_is_refused(amazon, sns, name):
    message = sns.confirmation()
    message[name] = message[name][:-2] + ("1" if message[name][-2] == "0" else "0") + message[name][-1]
    refused(message)
    assert signing.SUBSCRIBE_PATH not in amazon.asked


@pytest.mark.parametrize("version", ["1", "2"])
def test_subscription_to_our_topic_is_confirmed(amazon, sns, version):
    batch = ses.verify_and_parse(as_posted(sns.confirmation(SignatureVersion=version)))
    assert batch.events == []
    assert TOPIC in batch.note
    assert amazon.asked == [CERTIFICATE_PATH, signing.SUBSCRIBE_PATH]


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}{signing.SUBSCRIBE_PATH}",
        f"https://{HOST}.evil.example{signing.SUBSCRIBE_PATH}",
        f"https://user@{HOST}{signing.SUBSCRIBE_PATH}",
        f"https://{HOST}:444{signing.SUBSCRIBE_PATH}",
        f"https://sns.us-east-1.amazonaws.com{signing.SUBSCRIBE_PATH}",
        f"https://{HOST}/?Action=DeleteTopic&TopicArn={TOPIC}",
        f"https://{HOST}/?X=1&Action=ConfirmSubscription&TopicArn={TOPIC}",
        f"https://{HOST}/other?Action=ConfirmSubscription&TopicArn={TOPIC}",
        "file:///etc/passwd",
    ],
)
def test_subscription_is_confirmed_at_amazon_only(amazon, sns, url):
    refused(sns.confirmation(SubscribeURL=url))
    assert amazon.asked == [CERTIFICATE_PATH]


@pytest.mark.parametrize(
    "answer", [(500, {}, b""), (400, {}, b""), (301, {"Location": f"https://{HOST}/x"}, b""), hang, cut]
)
def test_unconfirmed_subscription_is_retried(amazon, sns, monkeypatch, answer):
    monkeypatch.setattr(fetching, "TIMEOUTS_S", (0.5, 0.5))
    amazon.answers[signing.SUBSCRIBE_PATH] = answer
    error = refused(sns.confirmation(), CannotVerifyError)
    assert error.__context__ is None
    assert signing.TOKEN not in repr(error)
    assert amazon.asked == [CERTIFICATE_PATH, signing.SUBSCRIBE_PATH]


def test_forged_subscription_is_not_confirmed(amazon, other_signer):
    refused(other_signer.confirmation())
    assert amazon.asked == [CERTIFICATE_PATH]


def test_end_of_a_subscription_is_noted_and_not_reverted(amazon, sns):
    batch = ses.verify_and_parse(as_posted(sns.confirmation("UnsubscribeConfirmation")))
    assert batch.events == []
    assert TOPIC in batch.note
    assert amazon.asked == [CERTIFICATE_PATH]


def test_validation_of_the_topic_is_noted(amazon, sns):
    batch = ses.verify_and_parse(as_posted(sns.notification(TOPIC_VALIDATED)))
    assert batch.events == []
    assert TOPIC in batch.note
