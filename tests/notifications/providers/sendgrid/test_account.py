"""SendGrid's account over real sockets, with the answers of its documentation."""

import pytest

from notifications.providers.base.account import MAY_NOT_LOOK, Quota
from notifications.providers.base.sending import ProviderError
from notifications.providers.sendgrid.account import SendGridAccount
from notifications.rules.retry import ErrorClass
from notifications.rules.suppression import Reason
from tests.notifications.providers.base.account_contract import SECRET, AccountContract, levels

pytestmark = pytest.mark.usefixtures("sender")

SCOPES = ["mail.send", "suppression.delete", "suppression.read"]
DOMAIN = {
    "domain": "mail.example.com",
    "valid": True,
    "dns": {
        "mail_cname": {"valid": True, "type": "cname", "host": "em1.mail.example.com", "data": "u7.wl.sendgrid.net"},
        "dkim1": {"valid": True, "type": "cname", "host": "s1._domainkey.mail.example.com", "data": "x"},
        "dkim2": {"valid": False, "type": "cname", "host": "s2._domainkey.mail.example.com", "data": "x"},
    },
}
SENDER = {"id": 1, "from_email": "hello@mail.example.com", "verified": True}
CREDITS = {"remain": 200, "total": 300, "used": 100, "next_reset": "2026-12-01", "reset_frequency": "monthly"}
EVENTS = ("processed", "deferred", "delivered", "bounce", "dropped", "spam_report")
HOOK = {
    "enabled": True,
    "url": "https://shop.example.com/webhooks/sendgrid/",
    "public_key": "the-key",
    **dict.fromkeys(EVENTS, True),
}
REFUSED = (403, {"errors": [{"field": None, "message": "access forbidden"}]})


class TestSendGrid(AccountContract):
    made = SendGridAccount

    def questions(self):
        yield from super().questions()
        yield lambda: self.made().document("scopes")
        yield lambda: self.made().document("user/credits")

    @pytest.fixture
    def at(self, settings):
        def point(url):
            settings.SENDGRID_API_KEY = SECRET
            settings.SENDGRID_API_URL = f"{url}/v3/"
            settings.SENDGRID_WEBHOOK_KEY = "the-key"

        return point

    @pytest.fixture
    def whole(self, api, at):
        at(api.url)
        api.answers = {
            "GET /v3/scopes": (200, {"scopes": SCOPES}),
            "GET /v3/whitelabel/domains": (200, [DOMAIN]),
            "GET /v3/verified_senders": (200, {"results": []}),
            "GET /v3/user/credits": (200, CREDITS),
            "GET /v3/user/webhooks/event/settings/all": (200, {"max_allowed": 5, "webhooks": [HOOK]}),
        }
        return api

    def test_good_account_has_no_problem(self, whole):
        found = SendGridAccount().inspect()
        assert levels(found) == [("credentials", "ok"), ("sender", "ok"), ("credits", "ok"), ("webhook", "ok")]
        assert {asked.headers["Authorization"] for asked in whole.asked} == {f"Bearer {SECRET}"}
        assert whole.asked[1].query == "domain=mail.example.com&limit=50"

    def test_password_of_netrc_does_not_replace_the_key(self, whole, monkeypatch, tmp_path):
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login eve password else")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        SendGridAccount().inspect()
        assert whole.asked[0].headers["Authorization"] == f"Bearer {SECRET}"

    @pytest.mark.parametrize(
        ("path", "answer", "subject", "level", "code"),
        [
            ("scopes", {"scopes": ["alerts.read"]}, "credentials", "bad", "may-not-send"),
            (
                "scopes",
                {"scopes": [*SCOPES, "api_keys.create"]},
                "permissions",
                "note",
                "surplus",
            ),
            ("whitelabel/domains", [], "sender", "bad", "unknown"),
            ("whitelabel/domains", [{**DOMAIN, "valid": False}], "sender", "bad", "not-verified"),
            ("whitelabel/domains", [{**DOMAIN, "domain": "example.com"}], "sender", "bad", "unknown"),
            ("user/credits", {**CREDITS, "remain": 0}, "credits", "bad", "used-up"),
            ("user/credits", {**CREDITS, "remain": "many"}, "credits", "note", "ambiguous"),
            ("user/webhooks/event/settings/all", {"webhooks": []}, "webhook", "note", "missing"),
            ("user/webhooks/event/settings/all", {"webhooks": [{}]}, "webhook", "note", "missing"),
            ("user/webhooks/event/settings/all", {"webhooks": "x"}, "webhook", "note", "ambiguous"),
        ],
    )
    def test_each_answer_has_its_finding(self, whole, path, answer, subject, level, code):
        whole.answers[f"GET /v3/{path}"] = (200, answer)
        found = {finding.subject: finding for finding in SendGridAccount().inspect()}
        assert (found[subject].level.value, found[subject].code) == (level, code), found[subject]
        assert level != "bad" or found[subject].hint

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"url": "https://shop.example.com/webhooks/sendgrid"}, "address"),
            ({"enabled": False}, "disabled"),
            ({"public_key": ""}, "not-signed"),
            ({"public_key": "another"}, "another-key"),
            ({"dropped": False, "bounce": None}, "events-missing"),
        ],
    )
    def test_webhook_that_would_not_work_is_bad(self, whole, changes, code):
        hooks = [{**HOOK, "url": "https://elsewhere.example.com/"}, {**HOOK, **changes}]
        whole.answers["GET /v3/user/webhooks/event/settings/all"] = (200, {"webhooks": hooks})
        (found,) = [finding for finding in SendGridAccount().inspect() if finding.subject == "webhook"]
        assert (found.level.value, found.code) == ("bad", code), found
        assert found.hint

    def test_key_that_may_only_send_leaves_notes(self, whole):
        for question in list(whole.answers):
            whole.answers[question] = REFUSED
        whole.answers["GET /v3/scopes"] = (200, {"scopes": ["mail.send"]})
        found = SendGridAccount().inspect()
        assert levels(found) == [("credentials", "ok"), ("sender", "note"), ("credits", "note"), ("webhook", "note")]
        assert {finding.code for finding in found[1:]} == {MAY_NOT_LOOK}

    def test_verified_sender_without_a_domain_is_a_note(self, whole):
        whole.answers["GET /v3/whitelabel/domains"] = (200, [])
        whole.answers["GET /v3/verified_senders"] = (200, {"results": [SENDER]})
        assert levels(SendGridAccount().inspect())[1] == ("sender", "note")

    def test_wrong_key_is_reported_once(self, whole):
        whole.answers["GET /v3/scopes"] = (401, {"errors": [{"field": None, "message": "authorization required"}]})
        (found,) = SendGridAccount().inspect()
        assert (found.subject, found.level.value) == ("credentials", "bad")
        assert "SENDGRID_API_KEY" in found.hint
        assert len(whole.asked) == 1

    @pytest.mark.parametrize("key", ["with\nnewline", "ключ"])
    def test_key_that_no_header_can_hold_is_misconfigured(self, whole, settings, key):
        settings.SENDGRID_API_KEY = key
        with pytest.raises(ProviderError) as refused:
            SendGridAccount().unsuppress("ada@example.com")
        assert refused.value.error_class is ErrorClass.MISCONFIGURED
        assert refused.value.__context__ is None

    def test_dkim_names_are_those_that_sendgrid_shows(self, whole):
        names = ["s1._domainkey.mail.example.com", "s2._domainkey.mail.example.com"]
        assert SendGridAccount().dkim_names() == names
        whole.answers["GET /v3/whitelabel/domains"] = (200, [])
        assert SendGridAccount().dkim_names() == []

    def test_address_is_removed_from_all_lists(self, whole):
        address = "a+b/c@example.com"
        encoded = "a%2Bb%2Fc%40example.com"
        lists = ["bounces", "blocks", "invalid_emails", "spam_reports"]
        assert SendGridAccount().unsuppress(address) is False
        assert whole.paths() == [f"DELETE /v3/suppression/{name}/{encoded}" for name in lists]
        whole.answers[f"DELETE /v3/suppression/blocks/{encoded}"] = (204, "")
        assert SendGridAccount().unsuppress(address) is True

    @pytest.mark.parametrize(
        ("reason", "paths"),
        [
            (Reason.HARD_BOUNCE, ["suppression/bounces", "suppression/invalid_emails"]),
            (Reason.SOFT_BOUNCES, ["suppression/bounces", "suppression/blocks"]),
            (Reason.COMPLAINT, ["suppression/spam_reports"]),
        ],
    )
    def test_lifting_one_reason_keeps_the_other_lists(self, whole, reason, paths):
        assert SendGridAccount().unsuppress("ada@example.com", reason) is False
        assert whole.paths() == [f"DELETE /v3/{path}/ada%40example.com" for path in paths]

    def test_resubscription_removes_the_address_from_all_groups(self, whole):
        groups = [{"id": 7, "suppressed": True}, {"id": 8, "suppressed": False}]
        whole.answers["GET /v3/asm/suppressions/ada%40example.com"] = (200, {"suppressions": groups})
        whole.answers["DELETE /v3/asm/groups/7/suppressions/ada%40example.com"] = (204, "")
        assert SendGridAccount().unsuppress("ada@example.com", Reason.UNSUBSCRIBED) is True
        assert whole.paths() == [
            "DELETE /v3/asm/suppressions/global/ada%40example.com",
            "GET /v3/asm/suppressions/ada%40example.com",
            "DELETE /v3/asm/groups/7/suppressions/ada%40example.com",
        ]

    def test_lifting_that_is_not_allowed_is_reported(self, whole):
        whole.answers["DELETE /v3/suppression/blocks/ada%40example.com"] = REFUSED
        with pytest.raises(ProviderError, match="misconfigured: http-403"):
            SendGridAccount().unsuppress("ada@example.com")

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            ((200, CREDITS), None),
            ((200, {**CREDITS, "reset_frequency": "daily"}), Quota(per_second=None, per_day=300, sent_today=100)),
            (REFUSED, None),
        ],
    )
    def test_quota_is_the_plans_daily_credits(self, whole, answer, expected):
        whole.answers["GET /v3/user/credits"] = answer
        assert SendGridAccount().quota() == expected

    def test_unanswered_quota_is_an_error(self, whole):
        whole.answers["GET /v3/user/credits"] = (503, "")
        with pytest.raises(ProviderError, match="transient"):
            SendGridAccount().quota()
