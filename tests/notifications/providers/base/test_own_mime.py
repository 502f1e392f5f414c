"""APIs that take no MIME get what a class adds in its message(), and refuse what they would send without."""

from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives

from notifications.providers.base.email_message import stored_email
from notifications.providers.base.own_mime import OwnMimeError, use_parts
from notifications.providers.base.rebuilt_email import rebuilt_email
from tests.notifications.providers.base.test_email_message import Signed

ADA, SHOP = "Ada <ada@example.com>", "Shop <shop@example.com>"


def written(change, cls=EmailMultiAlternatives):
    """Return an email whose class changes the MIME message with `change`."""

    class Own(cls):
        def message(self, **options):
            return change(super().message(**options))

    return Own("Grüße", "It left.", SHOP, [ADA], cc=["bob@example.com"], headers={"X-Order": "1"})


def in_parts(original, people=("ada@example.com",)):
    content = stored_email(original)
    again = rebuilt_email(content.email, content.attachments, people)
    again.extra_headers["List-Unsubscribe"] = "<https://shop.example/leave>"
    use_parts(again)
    return again


def with_header(mime):
    mime["X-Campaign"] = "spring"
    mime["X-Long"] = "word " * 50
    return mime


def with_file(mime):
    outer = MIMEMultipart()
    for name in ("Subject", "From", "To"):
        outer[name] = mime[name]
    file = MIMEBase("application", "pdf")
    file.set_payload(b"JVBERi0=")
    file["Content-Transfer-Encoding"] = "base64"
    file.add_header("Content-Disposition", "attachment", filename="terms.pdf")
    for part in (mime, file):
        outer.attach(part)
    return outer


def with_image(mime):
    outer = MIMEMultipart("related")
    outer["Subject"], outer["From"] = mime["Subject"], mime["From"]
    image = MIMEImage(b"bytes", "png")
    image["Content-ID"], image["Content-Disposition"] = "<logo>", "inline"
    outer.attach(mime)
    outer.attach(image)
    return outer


def with_html(mime):
    outer = MIMEMultipart("alternative")
    outer["Subject"], outer["From"] = mime["Subject"], mime["From"]
    outer.attach(mime)
    outer.attach(MIMEText("<p>Größe</p>", "html", "utf-8"))
    return outer


def encrypted(mime):
    outer = MIMEBase("application", "pkcs7-mime")
    outer["Subject"], outer["From"] = mime["Subject"], mime["From"]
    outer.set_payload("encrypted")
    return outer


def with_subject(mime):
    del mime["Subject"]
    mime["Subject"] = "Other"
    return mime


def with_text(mime):
    mime.set_payload("Other")
    return mime


def test_header_of_the_class_is_a_header_of_the_email():
    email = in_parts(written(with_header))
    assert email.extra_headers == {
        "X-Order": "1",
        "X-Campaign": "spring",
        "X-Long": " ".join(["word"] * 50),
        "List-Unsubscribe": "<https://shop.example/leave>",
    }
    assert (email.attachments, email.alternatives) == ([], [])


@pytest.mark.parametrize(("change", "kept"), [(with_file, "terms.pdf"), (with_image, "<logo>")])
def test_file_of_the_class_is_an_attachment(change, kept):
    email = in_parts(written(change))
    (file,) = email.attachments
    assert kept in {file.get_filename(), file["Content-ID"]}
    assert file.get_payload(decode=True) in {b"%PDF-", b"bytes"}
    assert kept in email.message().as_string()


def test_html_of_the_class_is_an_alternative():
    email = in_parts(written(with_html))
    assert [tuple(one) for one in email.alternatives] == [("<p>Größe</p>", "text/html")]
    assert email.attachments == []


@pytest.mark.parametrize("change", [encrypted, with_subject, with_text])
def test_what_parts_cannot_say_is_refused(change):
    with pytest.raises(OwnMimeError):
        in_parts(written(change))


def test_signed_email_is_refused():
    with pytest.raises(OwnMimeError, match="multipart/signed"):
        in_parts(Signed("Hi", "Text", SHOP, [ADA]))


@pytest.mark.parametrize(
    "attached", [("a.txt", "Text", "text/plain"), ("a.eml", EmailMessage("Old"), "message/rfc822")]
)
def test_email_that_its_class_does_not_change_stays_as_it_is(attached):
    original = written(lambda mime: mime)
    original.attach(*attached)
    original.attach_alternative("<p>It left.</p>", "text/html")
    email = in_parts(original, ["ada@example.com", "bob@example.com"])
    assert len(email.attachments) == len(email.alternatives) == 1


def test_email_of_djangos_class_is_not_changed():
    email = in_parts(EmailMessage("Hi", "Text", SHOP, [ADA]))
    assert (email.attachments, email.alternatives) == ([], [])
