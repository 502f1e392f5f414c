"""Run a process that kills itself after a change or in its receiver, or a relay with a receiver."""

import os
import signal
import sys

import django
from django.core.management import call_command

django.setup()

from notifications.changes.dispatch import dispatch  # noqa: E402 - models need the apps to be ready
from notifications.models import Message, transitions  # noqa: E402
from notifications.rules.states import Event  # noqa: E402
from notifications.signals import message_changed  # noqa: E402


def die(**values):
    os.kill(os.getpid(), signal.SIGKILL)


def note(message_id, change, **values):
    Message.objects.filter(id=message_id).update(context={"change": change})


def main(point, message_id=""):
    if point == "relay":
        message_changed.connect(note)
        call_command("relay")
        return
    message_changed.connect(die)
    if point == "changed":
        transitions.apply(Event.EXPIRED, Message.objects.filter(id=message_id))
    else:
        dispatch()
    die()


if __name__ == "__main__":
    main(*sys.argv[1:])
