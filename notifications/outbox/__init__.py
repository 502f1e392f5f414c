from notifications.outbox.enqueue import Draft, enqueue, enqueue_many
from notifications.outbox.resend import ForgottenError, resend

__all__ = ["Draft", "ForgottenError", "enqueue", "enqueue_many", "resend"]
