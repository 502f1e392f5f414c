"""The meanings of providers' answers: the vocabulary, and the rules for every provider.

docs/reference/provider-answers.md is generated from it.
"""

from notifications.providers.base.answers.api import RawAnswer, read_answer
from notifications.providers.base.answers.bounced import about_address, refined_bounce
from notifications.providers.base.answers.words import sentence, status_of

__all__ = ["RawAnswer", "about_address", "read_answer", "refined_bounce", "sentence", "status_of"]
