"""Every part of a Django email survives storage: a table of emails, and of those that are refused."""

from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from anymail.message import AnymailMessage
from django.core.mail import EmailAttachment, EmailMessage, EmailMultiAlternatives
from django.utils.translation import gettext_lazy

from notifications.providers.base.checked import BadHeaderError
from notifications.providers.base.django_versions import IS_MODERN
from notifications.providers.base.email_message import BadEmailMessageError, stored_email
from notifications.providers.base.rebuilt_email import rebuilt_email
from notifications.rules.addresses import BadAddressError
from notifications.rules.content import packed, unpacked
from tests.notifications.backend.authored import quoted_printable
from tests.notifications.backend.mime import tree

SHOP, ADA, BOB = "Shop <shop@example.com>", "Ada <ada@example.com>", '"Bücher, Bob" <bob@bücher.example.com>'


def image():
    part = MIMEImage(b"\x89PNG", _subtype="png")
    part["Content-ID"] = "<logo>"
    part["Content-Disposition"] = "inline"
    return part


def pdf():
    part = MIMEBase("application", "pdf", name="größe.pdf")
    part.set_payload(b"%PDF\r\n\x00\xff".hex())
    part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", "größe.pdf"))
    return part


def several():
    part = MIMEMultipart("related")
    part.attach(MIMEText("Grüße", _charset="utf-8"))
    part.attach(image())
    return part


def email(cls=EmailMultiAlternatives, **changes):
    own = {"subject": "Your order", "body": "It left.", "from_email": SHOP, "to": [ADA]}
    attributes = {name: changes.pop(name) for name in [*changes] if name in SET_LATER}
    parts = changes.pop("parts", [])
    made = cls(**own | changes)
    # Django 6 warns of parts of this class, and sends them.
    made.attachments.extend(parts)
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


SET_LATER = {
    *("content_subtype", "mixed_subtype", "alternative_subtype", "encoding"),
    *("merge_data", "esp_extra", "message", "recipients"),
}


class Signed(EmailMessage):
    """Writes its MIME message itself."""

    def message(self):
        outer = MIMEMultipart("signed")
        outer["Subject"], outer["From"], outer["To"] = self.subject, self.from_email, ", ".join(self.to)
        outer.attach(MIMEText(self.body))
        outer.attach(MIMEText("signature", "pgp"))
        return outer


EMAILS = {
    "text": email(),
    "text of another class": email(EmailMessage),
    "recipients": email(to=[ADA, BOB], cc=[BOB], bcc=["c@example.com"], reply_to=[ADA, BOB]),
    "only bcc": email(to=[], bcc=[ADA, ""]),
    "headers": email(
        headers={"X-Long": "word " * 100, "X-Name": "Grüße", "X-Priority": "1", "From": BOB, "To": "list@x.org"}
    ),
    "html only": email(content_subtype="html", body="<p>It left.</p>"),
    "no body": email(body="", attachments=[("a.txt", "text", None)]),
    "alternatives": email(alternatives=[("<p>It left.</p>", "text/html"), ("BEGIN:VCALENDAR", "text/calendar")]),
    "files": email(
        attachments=[
            ("größe.pdf", b"\x00\xff", "application/pdf"),
            ("a.csv", "ä;b", "text/csv"),
            (None, b"x", "image/png"),
        ]
    ),
    "parts": email(parts=[image(), pdf(), several()]),
    "an email": email(attachments=[("old.eml", email(EmailMessage, subject="Grüße"), "message/rfc822")]),
    "a MIME message": email(attachments=[("old.eml", email().message(), "message/rfc822")]),
    "a MIME message as bytes": email(attachments=[("old.eml", email().message().as_bytes(), "message/rfc822")]),
    "latin-1": email(encoding="iso-8859-1", subject="Größe", body="Größe"),
    "lazy text": email(subject=gettext_lazy("Test"), body=gettext_lazy("Test")),
    "long lines": email(subject="word " * 200, body="x" * 5000 + "ä"),
    "signed": email(Signed),
    "written by a function": email(message=lambda: Signed("Hi", "Text", SHOP, [ADA]).message()),
}
# Django 6 refuses them.
if not IS_MODERN:
    EMAILS |= {
        "other subtypes": email(
            mixed_subtype="related", alternative_subtype="x-any", alternatives=[("<p>", "text/html")]
        ),
        "a charset": email(encoding=quoted_printable(), body="Größe"),
        "line separator": email(subject="Hi\u2028there", headers={"X-A": "ü\x0bö"}, body="\x0b\u2028"),
    }


def again_of(original, without=()):
    content = unpacked(packed(stored_email(original)))
    people = {one.address.lower() for one in (*content.to, *content.cc, *content.bcc)}
    return rebuilt_email(content.email, content.attachments, people - set(without))


@pytest.mark.parametrize("name", EMAILS)
def test_rebuilt_email_is_written_like_the_original(name):
    original = EMAILS[name]
    again = again_of(original)
    assert tree(again.message().as_bytes()) == tree(original.message().as_bytes())
    assert again.recipients() == original.recipients()


@pytest.mark.skipif(IS_MODERN, reason="Django 6 refuses it")
def test_header_may_be_a_number():
    again = again_of(email(headers={"X-Priority": 1}))
    assert again.message()["X-Priority"] == "1"


def test_addresses_are_stored_in_ascii():
    content = stored_email(EMAILS["recipients"])
    ada, bob = ("ada@example.com", "Ada"), ("bob@xn--bcher-kva.example.com", "Bücher, Bob")
    assert (content.to, content.cc, content.bcc) == ((ada, bob), (bob,), (("c@example.com", ""),))
    sender, recipients = again_of(EMAILS["recipients"]).envelope
    assert (sender, recipients) == ("shop@example.com", [ada[0], bob[0], bob[0], "c@example.com"])


def test_suppressed_recipient_is_left_out_of_header_and_envelope():
    again = again_of(EMAILS["recipients"], without=["bob@xn--bcher-kva.example.com"])
    assert (again.to, again.cc, again.bcc) == ([ADA], [], ["c@example.com"])
    assert again.envelope[1] == ["ada@example.com", "c@example.com"]


def test_parts_keep_the_class_that_adapters_expect():
    again = again_of(EMAILS["parts"])
    assert all(isinstance(one, MIMEBase) for one in again.attachments)
    assert isinstance(again_of(EMAILS["files"]).attachments[0], EmailAttachment)


def test_attributes_of_anymail_are_kept():
    given = AnymailMessage(subject="Hi", body="Hi", from_email=SHOP, to=[ADA])
    given.tags, given.metadata, given.track_opens = ["order"], {"order": 4711}, False
    given.esp_extra = {"ip_pool": gettext_lazy("Test")}
    again = again_of(given)
    assert (again.tags, again.metadata, again.track_opens) == (["order"], {"order": 4711}, False)
    assert again.esp_extra == {"ip_pool": "Test"}
    assert not hasattr(again, "template_id")


BAD = {
    "no address": (email(to=["Ada"]), BadAddressError, "entry 1 of to"),
    "two addresses": (email(cc=[ADA, "b@example.com, c@example.com"]), BadAddressError, "entry 2 of cc"),
    "address that no provider accepts": (email(bcc=["ädä@example.com"]), BadAddressError, "entry 1 of bcc"),
    "no sender": (email(from_email="Shop"), BadAddressError, "entry 1 of from_email"),
    "line break": (email(headers={"X-Canary": "canary\nBcc: eve@example.com"}), BadHeaderError, None),
    "line break in the subject": (email(subject="canary\n"), BadHeaderError, None),
    "vertical tab in the subject": (email(subject="canary\x0bText"), BadHeaderError, None),
    "form feed in a header": (email(headers={"X-A": "canary\x0cText"}), BadHeaderError, None),
    "separator in a name": (email(cc=["Ada\x1cx <ada@example.com>"]), ValueError, None),
    "line break in a file's name": (email(attachments=[("canary\n.txt", b"x", None)]), BadHeaderError, None),
    "content that cannot be written": (
        email(attachments=[("canary", object(), "text/plain")]),
        BadEmailMessageError,
        "cannot be written",
    ),
    "not in the charset": (email(encoding="iso-8859-1", body="日本"), ValueError, None),
    "half a character": (email(body="\udcff"), ValueError, None),
    "other recipients": (email(recipients=lambda: ["eve@example.com"]), BadEmailMessageError, "recipients"),
    "no name of a header": (email(headers={"X-Canary\nBcc: eve@example.com": "x"}), BadHeaderError, None),
    "merging": (email(merge_data={"ada@example.com": {}}), BadEmailMessageError, "merge_data"),
    "not JSON": (email(esp_extra={"canary": object()}), BadEmailMessageError, "esp_extra"),
}


@pytest.mark.parametrize("name", BAD)
def test_email_that_no_backend_could_send_is_refused(name):
    given, error, named = BAD[name]
    with pytest.raises(error, match=named) as raised:
        stored_email(given)
    if error in {BadAddressError, BadEmailMessageError}:
        assert "canary" not in str(raised.value)
        assert "@example.com" not in str(raised.value)
