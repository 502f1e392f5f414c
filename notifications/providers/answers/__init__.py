"""What a provider's answer means: the one table for every provider, every step of SMTP and every bounce.

docs/answers.md is made from it.
"""

from notifications.providers.answers.api import Said, read_answer
from notifications.providers.answers.bounced import about_address, judged
from notifications.providers.answers.smtp import Step, read_reply
from notifications.providers.answers.words import sentence, status_of

__all__ = ["Said", "Step", "about_address", "judged", "read_answer", "read_reply", "sentence", "status_of"]
