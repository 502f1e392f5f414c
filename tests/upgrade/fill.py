# mypy: ignore-errors
"""Fill a database with the code of the release before this one, and dump it: tests/upgrade/README.md.

Run in a checkout of that release, so every import below is that release's. It never runs in the suite.
"""

import gzip
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

# It starts that release, which the imports below need.
from filling import CARRIER, draft, embedded, person, prepare, send, settings, shift

from config.redis_client import client
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from django_celery_results.models import TaskResult
from notifications.delivery.attempt import deliver
from notifications.feedback import ingest, suppressing
from notifications.feedback.reading import read_due
from notifications.providers.account import Quota
from notifications.providers.feedback import RawEvent
from notifications.providers.mail import ErrorClass, ProviderError
from notifications.suppressions import Reason

from accounts.models import User
from notifications import forgetting, jobs, kinds
from notifications.delivery import quota, replay
from notifications.delivery.claim import claim, hand_over
from notifications.models import (
    DeliveryAttempt,
    Message,
    ProviderEvent,
    Suppression,
    heartbeat,
    housekeeping,
)
from notifications.outbox import Draft, brake, brake_queue, enqueue, settling
from notifications.outbox.resend import resend
from tests.scripted import ScriptedAccount


def stay_queued(message):
    pass


def be_sending(message):
    """Claim the message; hand every second one over too."""
    (claimed,) = claim([message.id])
    if Message.objects.filter(status="sending").count() % 2:
        assert hand_over(claimed, "scripted")


def become_suppressed(message):
    """Suppress the address while the message waits."""
    suppressing.suppress(message.to_address, Reason.BY_HAND, "asked for it by telephone")
    deliver([message.id], message.stream, CARRIER)


def become_expired(message):
    shift(Message.objects.filter(id=message.id), "expires_at", minutes=1)
    deliver([message.id], message.stream, CARRIER)


def become_cancelled(message):
    settling.drop(send(message, ErrorClass.AMBIGUOUS), "ada@example.com")


BECOME = {
    "queued": stay_queued,
    "sending": be_sending,
    "sent": send,
    "uncertain": lambda message: send(message, ErrorClass.AMBIGUOUS),
    "suppressed": become_suppressed,
    "expired": become_expired,
    "cancelled": become_cancelled,
    "dead": lambda message: send(message, ProviderError(ErrorClass.PERMANENT, "http-400", "not a good email")),
}


def fill_every_kind_and_status():
    # An earlier release knows no kinds without.
    for kind in [kind for kind in kinds.KINDS.values() if getattr(kind, "has_templates", True)]:
        for status, become in BECOME.items():
            message = enqueue(draft(kind, f"{kind.name}.{status}"))
            become(message)
            message.refresh_from_db()
            assert message.status == status, (kind.name, status, message.status, message.status_reason)


def fill_users():
    """Make users in all states, with the emails that their signals enqueue."""
    operator = User.objects.create_superuser(
        "ada@example.com", "a password of Ada", name="Ada", confirmed_at=timezone.now()
    )
    staff = person("staff", is_staff=True, confirmed_at=timezone.now())
    group = Group.objects.create(name="support")
    group.permissions.set(Permission.objects.filter(codename__in=["view_message", "resend_message"]))
    staff.groups.add(group)
    User.objects.create_user("unconfirmed@example.com", "a password", sign_up=uuid4(), language="de")
    User.objects.create_user("replaced@example.com", "a password", sign_up=uuid4(), replaced_at=timezone.now())
    person("closed", is_active=False, confirmed_at=timezone.now())
    person("changing", confirmed_at=timezone.now(), new_email="changed@example.com")
    person("reader", confirmed_at=timezone.now(), wants_news=True)
    # An operator suppressed these two addresses by hand, which left the tick box on.
    for name, reason in (("left", Reason.UNSUBSCRIBED), ("complained", Reason.COMPLAINT)):
        person(name, confirmed_at=timezone.now(), wants_news=True)
        suppressing.suppress(f"{name}@example.com", reason, "by telephone")
    return operator


def fill_lives(operator):
    """Make retried, settled, replayed and resent messages."""
    welcome, reset = kinds.get("welcome"), kinds.get("password-reset")
    send(enqueue(draft(reset, "retried")), ErrorClass.TRANSIENT)
    send(enqueue(draft(reset, "limited")), ErrorClass.RATE_LIMITED)
    # Otherwise the budget would defer the next messages.
    client().flushdb()
    twice = send(enqueue(draft(reset, "sent-again")), ErrorClass.AMBIGUOUS)
    settling.send_again(twice, str(operator))
    marked = send(enqueue(draft(reset, "marked-sent")), ErrorClass.AMBIGUOUS)
    settling.mark_sent(marked, str(operator))
    dead = send(enqueue(draft(welcome, "replayed")), ErrorClass.PERMANENT)
    replay.replay(replay.dead_letters().filter(id=dead.id), dry_run=False)
    resend(send(enqueue(draft(welcome, "resent"))), uuid4())
    for label, handed_over in (("lost-before-call", False), ("lost-in-call", True)):
        (claimed,) = claim([enqueue(draft(reset, label)).id])
        if handed_over:
            hand_over(claimed, "scripted")
        shift(Message.objects.filter(id=claimed.id), "lease_until", seconds=1)
    misfit = enqueue(draft(welcome, "of-tomorrow"))
    Message.objects.filter(id=misfit.id).update(kind="kind-of-tomorrow")
    deliver([misfit.id], misfit.stream, CARRIER)


def fill_brake():
    """Make sign-up messages while the bounce brake is on: held back, released and cancelled."""
    on, brake.is_on = brake.is_on, lambda: True
    for label in ("held", "released", "dropped"):
        user = person(label)
        user.email = f"{label}@{label}.example.com"
        user.save(update_fields=["email"])
        key = f"fact:{label}"
        enqueue(Draft(kind="welcome", to=user.email, user=user, key=key, client="a-client"))
    brake.is_on = on
    assert brake_queue.release("released.example.com") == brake_queue.drop("dropped.example.com") == 1


def report(about, kind, **more):
    payload = {"id": str(uuid4()), "kind": kind, **({"message": str(about.id)} if about else {}), **more}
    ingest.store("scripted", [RawEvent(payload["id"], payload)])


def fill_events(operator):
    """Make every outcome, every reason of a suppression, and events in every state."""
    reset = kinds.get("password-reset")

    def sent(label, to=None):
        return send(enqueue(draft(reset, label, to)))

    for kind in ("accepted", "deferred", "delivered", "rejected"):
        report(sent(f"event-{kind}"), kind, at="2026-01-02T03:04:05Z")
    for label, kind, more in (
        ("hard-bounce", "bounced", {"bounce": "hard"}),
        ("complaint", "complained", {}),
        ("unsubscribed", "unsubscribed", {}),
        ("blocked", "bounced", {"bounce": "blocked"}),
        ("out-of-office", "bounced", {"bounce": "auto-reply"}),
        ("lifted", "bounced", {"bounce": "hard"}),
        ("lifted-at-provider", "bounced", {"bounce": "hard"}),
        ("no-spam", "complained", {}),
    ):
        message = sent(label)
        report(message, kind, recipient=message.to_address, detail="as the server says", **more)
        if label == "no-spam":
            read_due()
            report(message, "not spam", recipient=message.to_address)
    fill_soft_bounces()
    read_due()
    for row in Suppression.objects.filter(address__in=["lifted@example.com", "lifted-at-provider@example.com"]):
        suppressing.lift(row, operator, "the mailbox is open again")
    Suppression.objects.filter(address="lifted-at-provider@example.com").update(provider_lift="it was on no list")
    report(None, "delivered", message=str(uuid4()))
    report(None, "bounced", bounce="hard", recipient="unknown@example.com", at="2026-01-02T03:04:05Z")
    report(None, "delivered", unreadable=True)
    report(None, "delivered", provider_message_id="of-a-message-not-committed-yet")
    read_due()
    report(sent("not-read-yet"), "delivered")
    ingest.DIRECT, direct = 0, ingest.DIRECT
    report(sent("in-a-batch"), "delivered")
    ingest.DIRECT = direct
    assert set(ProviderEvent.objects.values_list("state", flat=True)) == set(ProviderEvent.State.values)


def fill_soft_bounces():
    """Make addresses that bounced softly until they were suppressed, and messages that check two of them."""
    reset = kinds.get("password-reset")
    for label in ("soft", "rechecked", "recovered"):
        address = f"{label}@example.com"
        user = person(label, confirmed_at=timezone.now())
        for number in range(settings.SOFT_BOUNCE_LIMIT):
            of_one = Draft(kind=reset.name, to=address, user=user, key=f"fact:{label}-{number}")
            report(send(enqueue(of_one)), "bounced", bounce="soft", recipient=address, detail="full")
        read_due()
        if label != "soft":
            shift(Suppression.objects.filter(address=address), "created_at", days=2)
            probe = send(enqueue(Draft(kind=reset.name, to=address, user=user, key=f"fact:{label}-probe")))
            assert Suppression.objects.get(address=address).probe_id == probe.id
        if label == "recovered":
            report(probe, "delivered", recipient=address)
    read_due()


def fill_forgotten():
    """Anonymize messages of a deleted account, and of no account after some days."""
    gone = draft(kinds.get("welcome"), "gone")
    send(enqueue(gone), ErrorClass.TRANSIENT)
    send(enqueue(Draft(kind="password-reset", to=gone.to, user=gone.user, key="fact:gone-2")))
    gone.user.delete()
    old = send(enqueue(draft(kinds.get("address-changed"), "old")))
    shift(Message.objects.filter(id=old.id), "created_at", days=settings.FORGET_AFTER_DAYS + 1)
    assert forgetting.forget_what_is_over() == 1


def fill_operations(operator):
    """Make heartbeats, periodic jobs, a quota, the admin's log, results of tasks and sessions."""
    for name, trouble in (("main@mail-1", ""), ("relay@mail-1", "provider events cannot be read: DataError")):
        heartbeat.beat(name, trouble)
    holder = uuid4()
    for job in jobs.JOBS:
        housekeeping.claim(job.name, job.every_s, holder, lease_s=60)
        housekeeping.finish(job.name, holder, "OperationalError" if job.name == "read-quotas" else "")
    quota.refresh("scripted", ScriptedAccount(quota=Quota(per_second=14.0, per_day=50_000, sent_today=70)))
    for rows in (Suppression.objects.filter(lifted_by=operator), Message.objects.filter(kind="welcome")[:2]):
        LogEntry.objects.log_actions(operator.pk, rows, CHANGE, "Changed by hand.")
    leaving = person("leaving", is_staff=True)
    LogEntry.objects.log_actions(leaving.pk, User.objects.filter(pk=operator.pk), CHANGE, "Changed by one who left.")
    leaving.delete()
    for status, result in (("SUCCESS", '"1 sent"'), ("FAILURE", '{"exc_type": "RecordLostError"}')):
        TaskResult.objects.store_result(
            "application/json", "utf-8", str(uuid4()), result, status, task_name="notifications.deliver"
        )
    for days in (1, -1):
        session = SessionStore()
        session["_auth_user_id"] = str(operator.pk)
        session.set_expiry(timedelta(days=days))
        session.create()


def dump(target):
    """Write plain SQL, which any client can run: no COPY, and no command of psql."""
    server = embedded._postgres
    command = [server.binaries / "pg_dump", "--no-owner", "--no-privileges", "--rows-per-insert=200", server.url]
    sql = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line for line in sql.splitlines() if line and not line.startswith(("--", "\\", "SET "))]
    target.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n", mtime=0))
    sys.stdout.write(f"{target}: {target.stat().st_size} bytes\n")


def main():
    prepare()
    operator = fill_users()
    fill_every_kind_and_status()
    fill_lives(operator)
    fill_brake()
    fill_events(operator)
    fill_forgotten()
    fill_operations(operator)
    assert DeliveryAttempt.objects.count() > len(BECOME)
    dump(Path(sys.argv[1]).absolute())


if __name__ == "__main__":
    main()
