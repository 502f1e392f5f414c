"""The whole application on one machine with nothing but Python: servers from wheels, under a supervisor."""

import os

from devtools.stack.loopback import exempt

# All that is in here, and whoever imports it, talks to this machine, and so do the processes that it starts.
exempt(os.environ)
