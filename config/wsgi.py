"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# After Django's set-up, for it reads settings. `manage.py runserver` comes here too, in the role `manage`.
from notifications.runtime import startup  # noqa: E402
from notifications.runtime.roles import Role  # noqa: E402

startup.start(Role.WEB, Role.MANAGE)
