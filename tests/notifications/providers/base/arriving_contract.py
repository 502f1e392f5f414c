"""What must arrive, through every provider."""

import pytest

from devtools.simulator.dialects.files import file_of
from notifications.rules.addresses import NamedAddress
from notifications.rules.content import Attachment
from tests.notifications.providers.base.edge import ProviderEdge
from tests.notifications.providers.base.outgoing import (
    EMAIL_IN_EMAIL,
    FILES,
    SUBJECT,
    UNSUBSCRIBE,
    as_shown,
    outgoing,
)


class ArrivingContract(ProviderEdge):
    # True if `taken` returns headers as a program shows them.
    is_decoded = False

    def test_one_email_reaches_one_recipient_complete(self, provider, taken):
        mail = outgoing()
        receipt = provider.send(mail)
        (entry,) = taken()
        assert receipt.provider_message_id
        assert (entry["to"], entry["to_name"]) == ("ada.canary@example.com", "Ada, Canary 🎩")
        assert entry["subject"] == SUBJECT
        assert entry["text"].split() == ["Hello", "Ada", "&", "canary"]
        assert entry["html"].strip() == "<p>Hello Ada &amp; canary</p>"
        assert entry["headers"]["Auto-Submitted"] == "auto-generated"
        assert entry["headers"]["X-Auto-Response-Suppress"] == "OOF, AutoReply"
        assert entry["headers"]["List-Unsubscribe"].strip() == UNSUBSCRIBE
        assert entry["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_everything_beyond_one_recipient_arrives(self, provider, taken):
        provider.send(
            outgoing(
                more_to=(NamedAddress("bob.canary@example.com", "Bob, Canary"),),
                cc=(NamedAddress("carla@bücher.example.com", "Cärla"), NamedAddress("carl@example.com")),
                bcc=(NamedAddress("dora.canary@example.com"),),
                reply_to=(NamedAddress("support@example.com", "Süpport"), NamedAddress("help@example.com")),
                headers={"X-Order": "4711", "Message-ID": "<1@example.com>"},
                tags=("invoice", "2026"),
                attachments=FILES,
            )
        )
        entries = taken()
        cc = ["carla@xn--bcher-kva.example.com", "carl@example.com"]
        expected = ["ada.canary@example.com", "bob.canary@example.com", *cc, "dora.canary@example.com"]
        assert [entry["to"] for entry in entries] == expected
        first = entries[0]
        assert (first["cc"], first["reply_to"]) == (cc, ["support@example.com", "help@example.com"])
        assert first["headers"]["X-Order"] == "4711"
        assert self.labels_of(first) == ["invoice", "2026"]
        files = [file_of(one.name, one.mimetype, one.content, one.content_id) for one in FILES]
        files[2]["type"] = "application/octet-stream"
        assert first["files"] == files
        # A hidden recipient is in no header.
        assert "dora" not in str({name: value for name, value in first["headers"].items() if "Bcc" not in name}).lower()

    def labels_of(self, entry):
        return entry["labels"]

    def test_email_in_an_email_arrives(self, provider, taken):
        provider.send(outgoing(attachments=[Attachment("canary.eml", EMAIL_IN_EMAIL, "message/rfc822")]))
        (entry,) = taken()
        ((file),) = entry["files"]
        assert (file["name"], file["type"]) == ("canary.eml", "message/rfc822")

    def test_internationalised_domain_is_sent_in_ascii_and_has_a_receipt(self, provider, taken):
        receipt = provider.send(outgoing(to_address="ada@bücher.example.com"))
        (entry,) = taken()
        assert entry["to"] == "ada@xn--bcher-kva.example.com"
        assert receipt.provider_message_id not in {"", "None"}

    @pytest.mark.parametrize(
        "text",
        [
            "=?utf-8?q?=FF=FE?=",
            "=?utf-8?b?////?=",
            "=?utf-8?q?www.evil.example?=",
            "=?utf-8?q?=E2=80=AEtxt?= and Ada",
            "Ada =?no-such-charset?q?x?=",
            "Grüße =?utf-8?q?x?=",
            "=?utf-8?q?",
            f"{'long ' * 30}=?utf-8?q?x?=",
        ],
    )
    def test_text_that_looks_like_an_encoded_word_is_shown_unchanged(self, provider, taken, text):
        provider.send(outgoing(to_name=text, subject=text))
        (entry,) = taken()
        shown = [entry["to_name"], entry["subject"]]
        assert (shown if self.is_decoded else [as_shown(one) for one in shown]) == [text, text]
