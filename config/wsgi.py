"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# After Django's set-up, because it reads settings. `manage.py runserver` imports this too, in the role `manage`.
from notifications.runtime import startup  # noqa: E402
from notifications.runtime.roles import Role  # noqa: E402

startup.start(Role.WEB, Role.MANAGE)
