from notifications.admin.event import ProviderEventAdmin
from notifications.admin.message import MessageAdmin
from notifications.admin.suppression import SuppressionAdmin

__all__ = ["MessageAdmin", "ProviderEventAdmin", "SuppressionAdmin"]
