"""The current status and its findings, also while the database does not answer."""

from django.db import Error
from django.utils.translation import gettext as _

from notifications.operations.figures import SystemStatus
from notifications.operations.finding import Code, StatusFinding
from notifications.operations.problems import DISK_IS_FULL, findings
from notifications.operations.status import collect
from notifications.runtime.database import error_name, is_disk_full, is_full, is_outage


def current_status() -> tuple[SystemStatus | None, list[StatusFinding]]:
    """Return the status and its findings. During a database outage, that is the only finding."""
    try:
        status = collect()
    except Error as error:
        if not is_outage(error):
            raise
        return None, [outage_finding(error)]
    return status, findings(status)


def outage_finding(error: Exception) -> StatusFinding:
    if is_disk_full(error):
        return StatusFinding(Code.DISK_FULL, str(DISK_IS_FULL))
    if is_full(error):
        sentence = _(
            "All database connections are in use, so users see an error page. Raise max_connections, lower"
            " DATABASE_POOL_SIZE, or use a connection pooler."
        )
        return StatusFinding(Code.DATABASE_FULL, sentence)
    text = _("The database is not answering (%(error)s). Start it. Until then the site shows an error page.")
    return StatusFinding(Code.DATABASE_AWAY, text % {"error": error_name(error)})
