"""Mailroom's settings with an inline sign-up: the request itself sends the email."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "devtools.demo.old_way"
