"""`python -m devtools.stack COMMAND`: the commands behind `make up`, `make down` and others."""

import os
import sys

from config.environment import BASE_DIR
from devtools.stack.check_requirements import out_of_step
from devtools.stack.interruption import interrupt_once
from devtools.stack.ports import LAST, PortTakenError, require_free
from devtools.stack.postgres import Postgres
from devtools.stack.server import ServerError
from devtools.stack.stack import ADMIN_ADDRESS, Ports, Stack, StackError
from devtools.stack.supervision import Supervisor, SupervisorError

FOLDER = BASE_DIR / ".local"
LOOK_EVERY_S = 2.0
LEFTOVERS_STOPPED = "Stopped the leftovers of a crashed start."


def main(arguments: list[str]) -> int:
    commands = {"up": up, "down": down, "clean": clean, "requirements": requirements}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(f"usage: python -m devtools.stack {'|'.join(commands)}", file=sys.stderr)
        return 2
    return commands[arguments[0]]()


def up() -> int:
    """Start everything, print the addresses, and run until Ctrl-C."""
    supervisor = Supervisor(FOLDER)
    if supervisor.running():
        print("Mailroom is already running in this folder. Stop it with `make down`.", file=sys.stderr)
        return 1
    if supervisor.stop():
        print(LEFTOVERS_STOPPED)
    try:
        stack = Stack(FOLDER, chosen_ports(), os.environ)
    except (PortTakenError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return run(stack)


def run(stack: Stack) -> int:
    stop = interrupt_once()
    try:
        stack.start(say=print)
        print(table(stack), flush=True)
        while not stop.wait(LOOK_EVERY_S):
            if not stack.supervisor.running():
                print("Mailroom was stopped by another command.")
                return 0
    except (StackError, SupervisorError, ServerError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    finally:
        print("\nStopping; workers finish the emails in progress …", flush=True)
        stack.stop()
        print("Stopped. The data is kept in .local/.")
    return 0


def down() -> int:
    supervisor = Supervisor(FOLDER)
    was_running = supervisor.running()
    orphans = supervisor.stop()
    print("Stopped." if was_running or orphans else "Nothing was running.")
    return 0


def clean() -> int:
    """Delete the embedded database, which for root is outside .local/."""
    Postgres(FOLDER / "postgres", 0).destroy()
    return 0


def requirements() -> int:
    if stale := out_of_step():
        print(f"Out of date: {', '.join(stale)}. Run `make requirements`.", file=sys.stderr)
        return 1
    return 0


def chosen_ports() -> Ports:
    """Read the ports from the environment. Raises PortTakenError, or ValueError for an invalid one."""
    ports = {}
    for name, default in (("web", Ports.web), ("flower", Ports.flower), ("simulator", Ports.simulator)):
        variable = f"{name.upper()}_PORT"
        text = os.environ.get(variable) or str(default)
        if not text.isdigit() or not 0 < int(text) <= LAST:
            raise ValueError(f"{variable} is {text!r}; it must be a port number.")
        ports[name] = int(text)
        require_free(variable, ports[name])
    return Ports(**ports)


def table(stack: Stack) -> str:
    rows = [
        ("Sign up", f"{stack.site_url}/sign-up/", "then read the email in the mailbox:"),
        ("Mailbox", f"{stack.simulator_url}/", "of the provider simulator, which takes 2 s for each email"),
        ("Admin", f"{stack.site_url}/admin/", f"{ADMIN_ADDRESS} · {stack.admin_password}"),
        ("Flower", f"{stack.flower_url}/", f"operator · {stack.flower_password}"),
        ("Emails", f"{stack.site_url}/dev/emails/", "previews of all emails, in every language"),
    ]
    width = max(len(url) for _, url, _ in rows)
    lines = [f"  {name:<9}{url:<{width}}  {note}" for name, url, note in rows]
    return "\n".join(
        [
            "",
            "Mailroom is up.",
            "",
            *lines,
            "",
            "  Running: web, 3 workers (critical, main, bulk), relay, beat, Flower, simulator, PostgreSQL, Valkey",
            "  Logs:    .local/log/        Ctrl-C stops everything; the data is kept.",
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
