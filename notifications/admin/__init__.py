from notifications.admin.dead import DeadLetterAdmin
from notifications.admin.event import ProviderEventAdmin
from notifications.admin.message import MessageAdmin
from notifications.admin.suppression import SuppressionAdmin
from notifications.admin.task_result import TaskResultAdmin
from notifications.admin.uncertain import UncertainMessageAdmin

__all__ = [
    "DeadLetterAdmin",
    "MessageAdmin",
    "ProviderEventAdmin",
    "SuppressionAdmin",
    "TaskResultAdmin",
    "UncertainMessageAdmin",
]
