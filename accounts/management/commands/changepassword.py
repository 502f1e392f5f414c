"""Django's own command, which also notifies the owner. It is found first because `accounts` is installed first."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.db import transaction

from accounts.flows import by_staff
from accounts.models import User


class Command(changepassword.Command):
    def handle(self, *args: Any, **options: Any) -> str:
        said = str(super().handle(*args, **options))
        with transaction.atomic():
            # Only the operator's own account could have been left unnamed.
            if user := User.objects.by_address(options["username"] or getpass.getuser()):
                by_staff.password_changed(user)
        return said
