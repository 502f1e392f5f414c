"""The task that a developer writes first: send one email."""

import json
from typing import Any

from celery import shared_task
from django.core.mail import EmailMultiAlternatives

from devtools.benchmarks.throughput.peers.rendering import email_of


@shared_task
def send_email(to: str, context: dict[str, Any]) -> None:
    EmailMultiAlternatives(body=json.dumps(context), to=[to]).send()


@shared_task
def send_rendered_email(to: str, subject: str, text: str, html: str) -> None:
    email_of([to], subject, text, html).send()
