from notifications.models.attempt import DeliveryAttempt
from notifications.models.event import EventBatch, ProviderEvent
from notifications.models.heartbeat import ProcessHeartbeat
from notifications.models.housekeeping import HousekeepingJob
from notifications.models.message import Message
from notifications.models.proxies import DeadLetter, UncertainMessage
from notifications.models.quota import ProviderQuota
from notifications.models.suppression import Suppression

__all__ = [
    "DeadLetter",
    "DeliveryAttempt",
    "EventBatch",
    "HousekeepingJob",
    "Message",
    "ProcessHeartbeat",
    "ProviderEvent",
    "ProviderQuota",
    "Suppression",
    "UncertainMessage",
]
