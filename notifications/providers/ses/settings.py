"""Settings of Amazon SES."""

import re
from collections.abc import Iterable

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name for it

from notifications import conf
from notifications.conf.setting import api_url, flag, items, text

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_CONFIGURATION_SET = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}")


def check_region(name: str, value: str) -> Iterable[CheckMessage]:
    if value and not _REGION.fullmatch(value):
        yield Error(f"{name} is not a region.", hint="Set it to one like eu-central-1.", id="mailroom.E048")


def check_configuration_set(name: str, value: str) -> Iterable[CheckMessage]:
    if value and not _CONFIGURATION_SET.fullmatch(value):
        hint = "Copy the name as Amazon shows it: letters, digits, - and _."
        yield Error(f"{name} is not the name of a configuration set.", hint=hint, id="mailroom.E048")


def check_topics(name: str, value: list[str]) -> Iterable[CheckMessage]:
    if not all(_TOPIC.fullmatch(topic) for topic in value):
        hint = "Copy the ARN of each topic, like arn:aws:sns:eu-central-1:123456789012:mailroom; separate by commas."
        yield Error(f"{name} contains text that is not the ARN of an SNS topic.", hint=hint, id="mailroom.E049")


def check_certificate(name: str, value: str) -> Iterable[CheckMessage]:
    if value and not settings.MAILROOM_LOCAL:
        hint = "Unset it: only the local simulator signs with a certificate other than Amazon's."
        yield Warning(f"{name} is ignored without MAILROOM_LOCAL.", hint=hint, id="mailroom.W003")


class SesSettings(conf.Settings):
    SES_REGION = text("", "like eu-central-1; boto3 finds the credentials", check=check_region)
    SES_CONFIGURATION_SET = text(
        "",
        "without one, SES reports nothing after it has accepted an email: "
        "[set-up-webhooks.md](../how-to/set-up-webhooks.md)",
        check=check_configuration_set,
    )
    # Its template in the request must behave as AWS documents; nothing on a developer's machine can prove that.
    SES_BULK = flag(
        False, "sends bulk messages in calls of up to 50 (SendBulkEmail), which need the permission ses:SendBulkEmail"
    )
    SES_ENDPOINT_URL = api_url("", "only to use another endpoint than the region's")
    # A signature only proves that some AWS account published a message.
    SES_WEBHOOK_TOPICS = items(
        [], "ARNs of the SNS topics that SES publishes to; messages of other topics are refused", check=check_topics
    )
    SNS_CERTIFICATE_FILE = text(
        "", "a developer's machine only: the certificate that signs local SNS messages", check=check_certificate
    )


settings = SesSettings()
