"""Keep Flower's history over restarts."""

import logging
import os
import tempfile
from pathlib import Path

from tornado.options import options

logger = logging.getLogger(__name__)


def keep_history() -> None:
    """Make the folder of Flower's file. If it cannot be written, Flower starts without a file.

    Flower itself moves a damaged file aside.
    """
    if not options.persistent:
        return
    # Flower loads the file with pickle, so no other user may write it.
    os.umask(0o077)
    folder = Path(options.db).resolve().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        logger.warning("Flower does not keep its history: FLOWER_DB cannot be written (%s).", type(error).__name__)
        options.persistent = False
