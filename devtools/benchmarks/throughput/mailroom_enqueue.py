"""Enqueue messages with this project: `mailroom_enqueue WAY FIRST COUNT RATE FILE`.

WAY is single, critical, or for `enqueue_many`: bulletin (at least once) or news (at most once). It creates the
recipients' accounts, prints ready, waits for a line, enqueues, and writes the time of each message to FILE.
"""

import sys
import time

import django

django.setup()

from accounts import emails  # noqa: E402 - models need the apps to be ready
from accounts.models import User  # noqa: E402
from devtools.benchmarks.throughput.bulletin.emails import BULLETIN  # noqa: E402
from devtools.benchmarks.throughput.pace import address_of, enqueue_at, write  # noqa: E402
from notifications import Draft, enqueue, enqueue_many  # noqa: E402
from notifications.outbox import publish  # noqa: E402

CHUNK = 1000
BULK = {"bulletin": BULLETIN, "news": emails.PRODUCT_NEWS}
NEWS = {"headline": "What is new", "paragraphs": ["The first thing.", "The second thing."]}


def main(way: str, first: str, count: str, rate: str, file: str) -> None:
    numbers = range(int(first), int(first) + int(count))
    fresh = [User(email=address_of(number), name=f"Reader {number}", wants_news=True) for number in numbers]
    users = {user.email: user for user in User.objects.bulk_create(fresh, batch_size=CHUNK)}
    publish.connect_to_broker()
    print("ready", flush=True)
    sys.stdin.readline()
    if way in BULK:
        enqueue_in_chunks(BULK[way].name, users, file)
    else:
        draft = {"single": emails.welcome_draft, "critical": reset_draft}[way]

        def enqueue_one(to: str, _: int) -> None:
            enqueue(draft(users[to]))

        enqueue_at(numbers, enqueue_one, float(rate), file)
    print("done", flush=True)


def reset_draft(user: User) -> Draft:
    return Draft(kind=emails.PASSWORD_RESET.name, to=user.email, user=user)


def enqueue_in_chunks(kind: str, users: dict[str, User], file: str) -> None:
    times: dict[str, float] = {}
    cpu, addresses = time.process_time(), list(users)
    for start in range(0, len(addresses), CHUNK):
        chunk = addresses[start : start + CHUNK]
        times |= dict.fromkeys(chunk, time.time())
        enqueue_many([Draft(kind=kind, to=to, user=users[to], context=NEWS) for to in chunk])
    write(file, times, ended_at=time.time(), cpu_s=time.process_time() - cpu)


if __name__ == "__main__":
    main(*sys.argv[1:])
