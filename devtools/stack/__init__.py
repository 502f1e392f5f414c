"""The whole application on one machine with nothing but Python: servers from wheels, under a supervisor."""

import os

from devtools.stack.loopback import exempt

# Everything in this package, and every process that it starts, talks to this machine only.
exempt(os.environ)
