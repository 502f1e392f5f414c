"""Run a relay that kills itself at the point of its round that the argument names."""

import os
import signal
import sys

import django

django.setup()

from notifications.outbox import publish, relay  # noqa: E402 - models need the apps to be ready


def die(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)


def after(times, work):
    """Allow `work` this many times, then die."""
    done = []

    def doing(*arguments, **options):
        if len(done) == times:
            die()
        done.append(None)
        return work(*arguments, **options)

    return doing


def then_die(work):
    def doing(*arguments, **options):
        work(*arguments, **options)
        die()

    return doing


def main(point):
    match point:
        case "taken":
            publish.publish = die
        case "half published":
            publish._publish_one = after(5, publish._publish_one)
        case "released":
            relay._release = after(1, relay._release)
            relay.RELEASE_BATCH = 5
        case "not confirmed":
            relay._release = then_die(relay._release)
    relay.run_once()


if __name__ == "__main__":
    main(sys.argv[1])
