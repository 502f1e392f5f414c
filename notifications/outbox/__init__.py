from notifications.outbox.draft import Draft
from notifications.outbox.enqueue import enqueue, enqueue_many
from notifications.outbox.resend import NotResentError, resend

__all__ = ["Draft", "NotResentError", "enqueue", "enqueue_many", "resend"]
