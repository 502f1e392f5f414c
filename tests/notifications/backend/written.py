"""Emails as an author writes them."""

from django.core.mail import EmailMessage


def email(cls=EmailMessage, *, parts=(), **changes):
    own = {"subject": "Hi", "body": "Text", "from_email": "shop@example.com", "to": ["ada@example.com"]}
    made = cls(**own | changes)
    # Django 6 warns of parts of this class, and sends them.
    made.attachments.extend(parts)
    return made


def headers(**given):
    return {f"X-Mailroom-{name.replace('_', '-')}": value for name, value in given.items()}
