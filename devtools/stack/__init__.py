"""The whole application on one machine, with servers from PyPI wheels and a supervisor. Needs only Python."""

import os

from devtools.stack.loopback import exempt

# This package and the processes that it starts connect only to this machine.
exempt(os.environ)
