"""Send everything that is queued with the command for cron, each time a line arrives: `drain PROCESSES`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "devtools.benchmarks.throughput.peers.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - Django has to be ready


def main(processes: str) -> None:
    print("ready", flush=True)
    for _ in sys.stdin:
        if os.environ["BENCH_PEER"] == "post_office":
            call_command("send_queued_mail", processes=int(processes), lockfile=os.environ["BENCH_LOCK"])
        else:
            call_command("send_mail")
        print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
