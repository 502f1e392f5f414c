"""Postmark's account over real sockets, with the answers of its documentation."""

import json

import pytest

from notifications.providers.base.account import NO_PROBLEM
from notifications.providers.base.sending import ProviderError
from notifications.providers.postmark.account import PostmarkAccount
from notifications.rules.suppression import Reason
from tests.notifications.providers.base.account_contract import SECRET, AccountContract, levels

pytestmark = pytest.mark.usefixtures("sender")

SERVER = {"ID": 1, "Name": "Shop", "ApiTokens": ["another-secret"], "DeliveryType": "Live"}
HOOK = {
    "ID": 7,
    "Url": "https://shop.example.com/webhooks/postmark/",
    "MessageStream": "outbound",
    "HttpAuth": {"Username": "post", "Password": "mark"},
    "Triggers": {name: {"Enabled": True} for name in ("Open", "Delivery", "Bounce", "SpamComplaint")},
}
DUMP = "GET /message-streams/outbound/suppressions/dump"
DELETE = "POST /message-streams/outbound/suppressions/delete"
LISTED = (200, {"Suppressions": [{"EmailAddress": "ada@example.com", "SuppressionReason": "HardBounce"}]})


def result(status):
    return (200, {"Suppressions": [{"EmailAddress": "ada@example.com", "Status": status, "Message": None}]})


class TestPostmark(AccountContract):
    made = PostmarkAccount

    @pytest.fixture
    def at(self, settings):
        def point(url):
            settings.POSTMARK_SERVER_TOKEN = SECRET
            settings.POSTMARK_API_URL = url
            settings.POSTMARK_WEBHOOK_AUTH = "post:mark"

        return point

    @pytest.fixture
    def whole(self, api, at):
        at(api.url)
        api.answers = {"GET /server": (200, SERVER), "GET /webhooks": (200, {"Webhooks": [HOOK]})}
        return api

    def test_good_account_has_only_a_note_about_the_sender(self, whole):
        found = PostmarkAccount().inspect()
        assert levels(found) == [("credentials", "ok"), ("sender", "note"), ("webhook", "ok")]
        assert {asked.headers["X-Postmark-Server-Token"] for asked in whole.asked} == {SECRET}
        assert whole.asked[1].query == "MessageStream=outbound"
        for secret in (SECRET, "another-secret", "mark:", ":mark"):
            assert secret not in repr(found)

    def test_sandbox_server_is_bad(self, whole):
        whole.answers["GET /server"] = (200, {**SERVER, "DeliveryType": "Sandbox"})
        assert levels(PostmarkAccount().inspect())[0] == ("server", "bad")

    @pytest.mark.parametrize("answer", [(401, {"ErrorCode": 10}), (200, {}), (200, [])])
    def test_denied_access_is_bad(self, whole, answer):
        whole.answers["GET /server"] = answer
        (found,) = PostmarkAccount().inspect()
        assert (found.subject, found.level.value) == ("credentials", "bad")
        assert found.hint

    @pytest.mark.parametrize(
        ("changes", "level", "code"),
        [
            ({"Url": "https://shop.example.com/webhooks/postmark"}, "bad", "address"),
            ({"Url": "https://elsewhere.example.com/"}, "note", "missing"),
            ({"HttpAuth": {"Username": "post", "Password": "other"}}, "bad", "credentials"),
            ({"HttpAuth": None}, "bad", "credentials"),
            (
                {"Triggers": {"Delivery": {"Enabled": True}, "Bounce": {"Enabled": False}}},
                "bad",
                "events-missing",
            ),
            ({"HttpAuth": None, "Url": "https://post:mark@shop.example.com/webhooks/postmark/"}, "ok", NO_PROBLEM),
        ],
    )
    def test_each_webhook_has_its_finding(self, whole, changes, level, code):
        whole.answers["GET /webhooks"] = (200, {"Webhooks": [{**HOOK, **changes}]})
        found = PostmarkAccount().inspect()[-1]
        assert (found.subject, found.level.value, found.code) == ("webhook", level, code), found
        assert "mark@" not in repr(found)

    def test_address_on_no_list_is_left_alone(self, whole):
        whole.answers[DUMP] = (200, {"Suppressions": []})
        assert PostmarkAccount().unsuppress("ada@example.com") is False
        assert whole.paths() == [DUMP]
        assert whole.asked[0].query == "EmailAddress=ada%40example.com"

    def test_address_is_removed_from_the_list(self, whole):
        whole.answers.update({DUMP: LISTED, DELETE: result("Deleted")})
        assert PostmarkAccount().unsuppress("ada@example.com") is True
        assert json.loads(whole.asked[1].body) == {"Suppressions": [{"EmailAddress": "ada@example.com"}]}

    def test_lifting_one_reason_keeps_an_address_listed_for_another(self, whole):
        listed = {"EmailAddress": "ada@example.com", "SuppressionReason": "HardBounce", "Origin": "Recipient"}
        whole.answers.update({DUMP: (200, {"Suppressions": [listed]}), DELETE: result("Deleted")})
        assert PostmarkAccount().unsuppress("ada@example.com", Reason.COMPLAINT) is False
        assert PostmarkAccount().unsuppress("ada@example.com", Reason.HARD_BOUNCE) is True
        assert whole.paths() == [DUMP, DUMP, DELETE]

    @pytest.mark.parametrize("answer", [result("Failed"), (200, {"Suppressions": []}), (200, [])])
    def test_complaint_that_postmark_keeps_is_reported(self, whole, answer):
        whole.answers.update({DUMP: LISTED, DELETE: answer})
        with pytest.raises(ProviderError) as refused:
            PostmarkAccount().unsuppress("ada@example.com")
        assert "ada" not in str(refused.value)

    def test_account_has_no_quota(self):
        assert PostmarkAccount().quota() is None
