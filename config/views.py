"""Health probes, and the page for a database outage."""

import sys

from django.db import Error, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from notifications.runtime.database import is_outage

RETRY_AFTER_S = 10


@never_cache
def live(request: HttpRequest) -> HttpResponse:
    # Does not check the database, because restarting this process would not fix it.
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    # Checks that the database is writable. The site works without the broker, so that is not checked.
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_read_only')")
            (read_only,) = cursor.fetchone()
    except Error:
        return HttpResponse("database: unavailable\n", content_type="text/plain", status=503)
    if read_only == "on":
        return HttpResponse("database: read-only\n", content_type="text/plain", status=503)
    return HttpResponse("ok\n", content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    # Django calls this view while it handles the exception.
    if is_outage(sys.exception()):
        response = render(request, "503.html", status=503, context={"retry_after_s": RETRY_AFTER_S})
        response["Retry-After"] = str(RETRY_AFTER_S)
        return response
    return render(request, "500.html", status=500)


def no_page_of_model(request: HttpRequest, content_type_id: int, object_id: str) -> HttpResponse:
    raise Http404
