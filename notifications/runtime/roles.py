"""The roles of processes."""

from enum import StrEnum


class Role(StrEnum):
    """MAILROOM_ROLE: decides which work a process accepts and how long it waits for the broker."""

    WEB = "web"
    WORKER = "worker"
    RELAY = "relay"
    BEAT = "beat"
    FLOWER = "flower"
    MANAGE = "manage"
