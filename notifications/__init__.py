"""Mailroom: transactional and bulk email for Django and Celery. This is its public API; the rest may change.

Declare, in an app's `emails.py` (docs/kinds.md):
`Kind` a kind of email · `register(kind)` add it · `Stream` critical, default or bulk · `DeliveryGuarantee` what to do
when a provider's answer was lost.

Names are imported when they are first used: Django imports this package before its models are ready.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from notifications.kinds import DeliveryGuarantee, Kind, register
    from notifications.rules.states import Stream

__all__ = ["DeliveryGuarantee", "Kind", "Stream", "register"]

_MODULES = {
    "notifications.kinds": ["DeliveryGuarantee", "Kind", "register"],
    "notifications.rules.states": ["Stream"],
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)
