"""Change a password and notify its owner. Replaces Django's command because `accounts` is installed first."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.db import transaction

from accounts.flows import by_staff
from accounts.models import User


class Command(changepassword.Command):
    def handle(self, *args: Any, **options: Any) -> str:
        output = str(super().handle(*args, **options))
        with transaction.atomic():
            # Without a username Django takes that of the operating system.
            if user := User.objects.by_address(options["username"] or getpass.getuser()):
                by_staff.password_changed(user)
        return output
