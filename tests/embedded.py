"""A pytest plugin that starts the suite's servers, before pytest-django reads the settings.

Real PostgreSQL and real Valkey, in a temporary folder, unless DATABASE_URL and REDIS_URL name others. With pytest-xdist
every process has separate servers, as tests empty the broker.
"""

import atexit
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

_folder = Path(tempfile.mkdtemp(prefix="mailroom-tests-"))
_running = ExitStack()
_running.callback(shutil.rmtree, _folder, ignore_errors=True)
atexit.register(_running.close)

# A developer's own .local/env must not leak into the suite.
(_folder / "env").touch()
(_folder / "static").mkdir()
os.environ.update(
    MAILROOM_ENV_FILE=str(_folder / "env"),
    STATIC_ROOT=str(_folder / "static"),
    MAILROOM_LOCAL="1",
    MAILROOM_ROLE="manage",
    SECRET_KEY="for tests only, and long enough to be accepted by every check",
    EMAIL_PROVIDERS="simulator",
    SIMULATOR_URL="http://127.0.0.1:1",
)

# Dozens of processes start, and each would compile every module again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Importing anything below config reads the environment, so it has to be complete by now.
from devtools.stack.ports import free_port  # noqa: E402
from devtools.stack.postgres import Postgres  # noqa: E402
from devtools.stack.valkey import Valkey  # noqa: E402
from tests import migrated  # noqa: E402

# Set by the process that started this one, with the names of the servers that only it uses.
_inherited = os.environ.pop("MAILROOM_TESTS_EMBEDDED", "").split()
for _name in _inherited:
    del os.environ[_name]
os.environ["MAILROOM_TESTS_EMBEDDED"] = " ".join({"DATABASE_URL", "REDIS_URL"} - os.environ.keys())

# The database to copy instead of applying all migrations.
TEMPLATE: str | None = None
if "DATABASE_URL" not in os.environ:
    TEMPLATE = migrated.DATABASE
    _postgres = Postgres(_folder / "postgres", free_port(), durable=False)
    _running.callback(_postgres.destroy)
    migrated.prepare(_postgres)
    os.environ["DATABASE_URL"] = _running.enter_context(_postgres).url
if "REDIS_URL" not in os.environ:
    os.environ["REDIS_URL"] = _running.enter_context(Valkey(_folder / "valkey", free_port(), durable=False)).url


def pytest_unconfigure() -> None:
    _running.close()
