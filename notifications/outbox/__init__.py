from notifications.outbox.enqueue import Draft, enqueue, enqueue_many
from notifications.outbox.resend import resend

__all__ = ["Draft", "enqueue", "enqueue_many", "resend"]
