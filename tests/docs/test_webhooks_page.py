"""docs/how-to/set-up-webhooks.md: moto's AWS takes its commands, and each provider's code knows its names.

Not followed: the steps in the consoles of SendGrid and Postmark, and the confirmation of a subscription
(tests/notifications/providers/ses/test_subscriptions.py), which moto does not send.
"""

import json
import re
import shlex

import boto3
import pytest
import requests
from botocore import xform_name
from botocore.validate import ParamValidator
from moto.server import ThreadedMotoServer

from config.environment import BASE_DIR
from tests.docs.pages import blocks, rows

PAGE = "set-up-webhooks.md"
REGION = "eu-central-1"
# Checked against AWS' description of the request instead.
UNKNOWN_TO_MOTO = {"create_configuration_set_event_destination"}
# The AWS CLI gives this option another name than the API.
RENAMED = {"notification-endpoint": "endpoint"}
COMMANDS = [command for block in blocks(PAGE) if block.startswith("aws ") for command in re.split(r"\n(?=aws )", block)]
PLACEHOLDER = re.compile(r"<site>|\b(?:ARN|REGION|ACCOUNT)\b|\bSUBSCRIPTION\b(?!\")")
NAME = re.compile(r"\b(?:[A-Z][a-z]+[A-Z]\w+|[a-z]+_[a-z_]+)\b")


@pytest.fixture
def aws(monkeypatch):
    """Return clients of moto's services."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    # moto's state belongs to the process, not to the server.
    requests.post(f"{url}/moto-api/reset", timeout=10).raise_for_status()
    yield {name: boto3.client(name, region_name=REGION, endpoint_url=url) for name in ("sns", "sesv2")}
    server.stop()


def call(aws, command):
    """Do what the AWS CLI does: each option is a field of the request, as text or as JSON."""
    _, service, operation, *options = shlex.split(command.replace("\\\n", " "))
    client = aws[service]
    method = operation.replace("-", "_")
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
    fields = {xform_name(name, "-"): name for name in shape.members}
    given = {}
    for option, value in zip(options[::2], options[1::2], strict=True):
        name = option.removeprefix("--")
        name = fields[RENAMED.get(name, name)]
        given[name] = json.loads(value) if shape.members[name].type_name in {"structure", "list", "map"} else value
    if method in UNKNOWN_TO_MOTO:
        assert not ParamValidator().validate(given, shape).has_errors()
        return {"Given": given}
    return getattr(client, method)(**given)


def test_commands_lead_to_a_topic_that_reports_to_the_site(aws):
    values, reported = {"<site>": "mail.example.com", "REGION": REGION, "ACCOUNT": "123456789012"}, {}
    for command in COMMANDS:
        answer = call(aws, PLACEHOLDER.sub(lambda found: values[found[0]], command))
        if "TopicArn" in answer:
            values["ARN"] = answer["TopicArn"]
        elif "Given" in answer:
            reported = answer["Given"]
        elif "SubscriptionArn" in answer:
            (subscription,) = aws["sns"].list_subscriptions()["Subscriptions"]
            values["SUBSCRIPTION"] = subscription["SubscriptionArn"]
    assert subscription["Endpoint"] == "https://mail.example.com/webhooks/ses/"
    attributes = aws["sns"].get_subscription_attributes(SubscriptionArn=values["SUBSCRIPTION"])["Attributes"]
    assert REGION in json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"]
    assert reported["ConfigurationSetName"] in aws["sesv2"].list_configuration_sets()["ConfigurationSets"]
    assert reported["EventDestination"]["SnsDestination"]["TopicArn"] == values["ARN"]
    events = set(reported["EventDestination"]["MatchingEventTypes"])
    # Opens and clicks are not stored.
    shape = aws["sesv2"].meta.service_model.shape_for("EventType")
    assert set(shape.enum) - events == {"OPEN", "CLICK"}


@pytest.mark.parametrize(("column", "provider"), [(1, "ses"), (2, "sendgrid"), (3, "postmark")])
def test_each_name_of_a_report_is_interpreted(column, provider):
    names = {name for row in rows(PAGE, "| meaning | SES") for name in NAME.findall(row[column])}
    source = "\n".join(file.read_text() for file in (BASE_DIR / "notifications/providers" / provider).glob("*.py"))
    assert names
    assert [name for name in sorted(names) if name not in source] == []
