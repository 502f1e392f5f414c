from notifications.models.attempt import DeliveryAttempt
from notifications.models.message import Message

__all__ = ["DeliveryAttempt", "Message"]
