"""Flower's configuration."""

from config import flower_pages
from config.environment import ROLE
from notifications.runtime.roles import Role

# Flower runs this module when it starts, and takes its options from the names below.

tasks_columns = "name,uuid,state,result,received,runtime,worker"


def format_task(task):  # type: ignore[no-untyped-def] # Flower accepts a plain function only
    return flower_pages.shown(task)


flower_pages.add_to_pages()
if ROLE == Role.FLOWER:
    flower_pages.start_beat()
