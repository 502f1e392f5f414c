"""What a process is for."""

from enum import StrEnum


class Role(StrEnum):
    """MAILROOM_ROLE. It decides which work a process accepts and how patient it is with the broker."""

    WEB = "web"
    WORKER = "worker"
    RELAY = "relay"
    BEAT = "beat"
    FLOWER = "flower"
    MANAGE = "manage"
