"""Mailroom's settings as the release before had them."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as APPS

INSTALLED_APPS = [*APPS, "config.prove.older.OlderRelease"]
