"""Print the rendered email as JSON, for peers that do not render: `python -m …peers.content`."""

import json

import django
from django.conf import settings

settings.configure(USE_TZ=True)
django.setup()

from devtools.benchmarks.throughput.peers import rendering  # noqa: E402 - Django has to be ready

if __name__ == "__main__":
    print(json.dumps(dict(zip(("subject", "text", "html"), rendering.render(rendering.context_of(0)), strict=True))))
