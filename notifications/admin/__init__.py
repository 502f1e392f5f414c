from notifications.admin.message import MessageAdmin

__all__ = ["MessageAdmin"]
