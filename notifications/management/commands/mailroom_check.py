"""Say what is missing before this project's email is sent by Mailroom."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, no_translations

from notifications.installation import project, rendering, stores
from notifications.installation.processes import commands, inspect_processes
from notifications.management.printing import print_findings
from notifications.providers.base.account import Finding, Level
from notifications.runtime import celery_app


class Command(BaseCommand):
    help = (
        "Check the installation in this project, and print the line to add for what is missing and the commands of the"
        " processes. Exits with 1 if something keeps email from being sent."
    )
    # It reports them itself, with the rest.
    requires_system_checks = []

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        app = celery_app.inspect()
        found = inspect_all(app)
        print_findings(found, self.stdout, self.style)
        self.stdout.write("\nThe processes, next to your web server:\n")
        for line in commands(app):
            self.stdout.write(f"  {line}")
        count = sum(finding.level is Level.BAD for finding in found)
        if count:
            what = "1 problem keeps" if count == 1 else f"{count} problems keep"
            self.stdout.write(self.style.ERROR(f"\n{what} email from being sent."))
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS("\nEmail can be sent."))


def inspect_all(app: celery_app.CeleryApp) -> list[Finding]:
    database, redis = stores.inspect_database(), stores.inspect_redis()
    broker = stores.broker_elsewhere()
    found = [database, *stores.inspect_routing(), redis, project.inspect_celery(app), *([broker] if broker else [])]
    found += [*project.inspect_settings(), project.inspect_site(), *project.inspect_webhooks()]
    found += [project.inspect_urls(), project.inspect_admin(), project.inspect_backend(), *rendering.inspect_kinds()]
    if database.level is Level.GOOD:
        tables = stores.inspect_tables()
        found += [tables, *(inspect_processes() if tables.level is Level.GOOD else [])]
    return found
