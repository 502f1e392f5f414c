"""Hypothesis' strategies for what an author can put into a Django email."""

from dataclasses import dataclass
from email.charset import QP, Charset
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from django.core.mail import EmailAttachment, EmailMessage, EmailMultiAlternatives
from django.core.mail.message import sanitize_address
from hypothesis import strategies as st

DOMAINS = ["example.com", "mail.example.com", "bücher.example.com", "例え.example.org", "EXAMPLE.net"]
NAMES = ["Ada", "Lovelace, Ada", 'The "Countess"', "Ада", "日本太郎", "Ada \\ Lovelace"]
TYPES = ["application/pdf", "application/octet-stream", "image/png", "text/plain", "text/csv", "text/calendar", None]
ENCODINGS = [None, None, None, "utf-8", "iso-8859-1", "quoted-printable"]

# The simulator refuses some local parts.
LOCAL = st.from_regex(r"a[a-z0-9]{0,20}([.+_-][a-zA-Z0-9]{1,10}){0,3}", fullmatch=True)
HEADER_NAME = st.from_regex(r"X-[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True).filter(
    lambda name: not name.lower().startswith("x-mailroom-")
)


def line(highest=None, most=60):
    # Python's email package splits lines at more characters than Django refuses in headers.
    kept = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), max_codepoint=highest)
    return st.text(kept, max_size=most)


def long_line(highest=None):
    return st.builds(
        lambda words, times: " ".join(words * times),
        st.lists(line(highest), min_size=1, max_size=5),
        st.integers(1, 30),
    )


def text(highest=None):
    kept = st.characters(exclude_categories=("Cs",), exclude_characters="\x00", max_codepoint=highest)
    return st.builds(lambda words, times: words * times, st.text(kept, max_size=200), st.integers(1, 20))


@st.composite
def addresses(draw):
    bare = f"{draw(LOCAL)}@{draw(st.sampled_from(DOMAINS))}"
    name = draw(st.one_of(st.none(), st.sampled_from(NAMES), line(most=30)))
    escaped = (name or "").replace("\\", "\\\\").replace('"', '\\"')
    return bare if name is None else f'"{escaped}" <{bare}>'


@st.composite
def emails(draw, depth=1):
    """Return an EmailMessage or EmailMultiAlternatives; `complete` it before it is used."""
    encoding = draw(st.sampled_from(ENCODINGS))
    highest = 255 if encoding == "iso-8859-1" else None
    lists = {
        name: draw(st.lists(addresses(), max_size=most)) for name, most in (("cc", 3), ("bcc", 3), ("reply_to", 2))
    }
    made = draw(st.sampled_from([EmailMessage, EmailMultiAlternatives]))(
        subject=draw(long_line(highest)),
        body=draw(text(highest)),
        from_email=draw(addresses()),
        to=draw(st.lists(addresses(), min_size=1, max_size=draw(st.sampled_from([1, 3, 40])))),
        headers=draw(headers(highest)),
        **lists,
    )
    made.encoding = quoted_printable() if encoding == "quoted-printable" else encoding
    made.content_subtype = draw(st.sampled_from(["plain", "plain", "html"]))
    made.mixed_subtype = draw(st.sampled_from(["mixed", "mixed", "related"]))
    for attachment in draw(st.lists(attachments(highest, depth), max_size=3)):
        made.attachments.append(attachment)
    if isinstance(made, EmailMultiAlternatives):
        for alternative in draw(st.lists(alternatives(highest), max_size=2)):
            made.attach_alternative(*alternative)
    return made


def alternatives(highest):
    return st.tuples(text(highest), st.sampled_from(["text/html", "text/x-amp-html", "text/calendar"]))


@st.composite
def headers(draw, highest):
    made = draw(st.dictionaries(HEADER_NAME, long_line(highest), max_size=3))
    others = {
        "Message-ID": st.just("<its-own@example.com>"),
        "Date": st.just("Fri, 05 Jun 2026 10:00:00 -0000"),
        "From": addresses(),
        "To": addresses(),
        "Reply-To": addresses(),
        "References": st.lists(st.just("<a-long-id-of-an-earlier-message@mail.example.com>"), max_size=40).map(
            " ".join
        ),
        "List-Unsubscribe": st.just("<https://example.com/u/1>, <mailto:u@example.com>"),
        "X-Priority": st.just(1),
    }
    for name in draw(st.sets(st.sampled_from(sorted(others)), max_size=3)):
        made[name] = draw(others[name])
    return made


@st.composite
def attachments(draw, highest, depth):
    """Return what `attachments` may hold: a name, content and type, or a part."""
    if draw(st.booleans()):
        return draw(parts(depth))
    name = draw(st.one_of(st.none(), line(most=30).map(lambda stem: f"{stem}.dat")))
    kind = draw(st.sampled_from([*TYPES, *(["message/rfc822"] if depth else [])]))
    email = EmailMultiAlternatives()
    email.attach(name or None, draw(contents(kind, highest, depth)), kind or ("" if name else "application/x-any"))
    return email.attachments[0]


def contents(kind, highest, depth):
    if kind == "message/rfc822":
        return st.builds(Nested, emails(depth - 1), st.sampled_from(FORMS))
    return text(highest) if (kind or "").startswith("text/") else st.binary(max_size=2000)


def is_sendable(email):
    # Not every text that an author may give can be written. Django's SMTP backend also encodes names of `bcc`.
    try:
        complete(email).message().as_bytes()
        for address in (email.from_email, *email.recipients()):
            sanitize_address(address, email.encoding or "utf-8")
    except (ValueError, TypeError, IndexError):
        return False
    return True


@dataclass(frozen=True)
class Nested:
    """An email as an attachment. A strategy cannot write its MIME message, whose ids are random."""

    email: EmailMessage
    form: str


FORMS = ["email", "MIME message", "bytes"]


def complete(email):
    """Replace nested emails by what an author attaches. Raises what Django raises."""
    for place, one in enumerate(email.attachments):
        if isinstance(one, EmailAttachment) and isinstance(one.content, Nested):
            content = complete(one.content.email)
            if one.content.form != "email":
                content = content.message()
            if one.content.form == "bytes":
                content = content.as_bytes()
            email.attachments[place] = one._replace(content=content)
    return email


@st.composite
def parts(draw, depth):
    """Return a part as an author makes it with Python's email package: an inline image, a file, or several parts."""
    kind = draw(st.sampled_from(["image", "file", "text", *(["several"] if depth else [])]))
    if kind == "image":
        part = MIMEImage(draw(st.binary(max_size=500)), _subtype="png")
        part["Content-ID"] = "<logo@example.com>"
        part["Content-Disposition"] = draw(st.sampled_from(["inline", 'inline; filename="logo.png"']))
    elif kind == "file":
        part = MIMEBase("application", "pdf")
        part.set_payload(draw(st.binary(max_size=500).map(lambda data: data.hex())))
        part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", draw(line(most=80)) + ".pdf"))
    elif kind == "text":
        part = MIMEText(draw(text()), _charset="utf-8")
    else:
        part = MIMEMultipart("related")
        for one in draw(st.lists(parts(depth - 1), min_size=1, max_size=3)):
            part.attach(one)
    return part


def quoted_printable():
    charset = Charset("utf-8")
    charset.body_encoding = QP
    return charset
