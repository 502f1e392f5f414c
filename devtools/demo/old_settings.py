"""Mailroom's settings, with the sign-up of the old way: the mail is sent inside the request."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "devtools.demo.old_way"
