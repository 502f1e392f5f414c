"""Enqueue messages one by one with a Python peer: `enqueue FIRST COUNT RATE FILE`.

It prints ready, waits for a line, enqueues, and writes the time of each message to FILE.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "devtools.benchmarks.throughput.peers.settings")
django.setup()

from django.core.mail import EmailMultiAlternatives  # noqa: E402 - Django has to be ready

from devtools.benchmarks.throughput.pace import enqueue_at  # noqa: E402
from devtools.benchmarks.throughput.peers import celery_app, rendering  # noqa: E402

RENDERS = bool(os.environ.get("BENCH_RENDERS"))
FIXED = rendering.render(rendering.context_of(0))


def main(first: str, count: str, rate: str, file: str) -> None:
    celery_app.app.set_default()
    enqueue = enqueue_task if os.environ["BENCH_PEER"] == "celery" else enqueue_message
    print("ready", flush=True)
    sys.stdin.readline()
    enqueue_at(range(int(first), int(first) + int(count)), enqueue, float(rate), file)
    print("done", flush=True)


def enqueue_task(to: str, number: int) -> None:
    from devtools.benchmarks.throughput.peers import tasks  # noqa: PLC0415 - after the application is the default

    if RENDERS:
        tasks.send_email.delay(to, rendering.context_of(number))
    else:
        tasks.send_rendered_email.delay(to, *FIXED)


def enqueue_message(to: str, number: int) -> None:
    if RENDERS:
        body = json.dumps(rendering.context_of(number))
        EmailMultiAlternatives(subject="welcome", body=body, from_email=rendering.SENDER, to=[to]).send()
    else:
        rendering.email_of([to], *FIXED).send()


if __name__ == "__main__":
    main(*sys.argv[1:])
