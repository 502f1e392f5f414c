from notifications.models.alert import Alert, AlertChannel
from notifications.models.attempt import DeliveryAttempt
from notifications.models.content import MessageContent
from notifications.models.counter import Counter, CounterMark
from notifications.models.event import EventBatch, ProviderEvent
from notifications.models.heartbeat import ProcessHeartbeat
from notifications.models.housekeeping import HousekeepingJob
from notifications.models.message import Message
from notifications.models.pause import Pause
from notifications.models.pending_change import PendingChange
from notifications.models.proxies import DeadLetter, UncertainMessage
from notifications.models.quota import ProviderQuota
from notifications.models.rollup import HourlyDomain, HourlyTraffic, RolledUpHour
from notifications.models.shadow_copy import ShadowCopy
from notifications.models.suppression import Suppression

__all__ = [
    "Alert",
    "AlertChannel",
    "Counter",
    "CounterMark",
    "DeadLetter",
    "DeliveryAttempt",
    "EventBatch",
    "HourlyDomain",
    "HourlyTraffic",
    "HousekeepingJob",
    "Message",
    "MessageContent",
    "Pause",
    "PendingChange",
    "ProcessHeartbeat",
    "ProviderEvent",
    "ProviderQuota",
    "RolledUpHour",
    "ShadowCopy",
    "Suppression",
    "UncertainMessage",
]
