"""The whole of Mailroom on one machine: servers, processes, their environment and their health."""

import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import requests

from config.environment import BASE_DIR
from config.health import answers, healthy
from config.processes import PROCESSES, Process, command_line, pool_size
from config.reading import Environment
from devtools.simulator.reports.ses import TOPIC
from devtools.simulator.signing import certificate_file, kept_keys
from devtools.stack.loopback import exempt
from devtools.stack.ports import HOST, free_port, is_free
from devtools.stack.postgres import Postgres
from devtools.stack.secret_files import kept_secret, write_env
from devtools.stack.server import Server
from devtools.stack.supervision import Program, Supervisor
from devtools.stack.valkey import Valkey
from notifications.runtime.roles import Role

ADMIN_ADDRESS = "admin@mailroom.example"
HEALTHY_WITHIN_S = 90.0
SIMULATOR = "simulator"
PLENTY = ",".join(f"{name}=3000/minute" for name in ("sign-up", "resend", "reset", "log-in", "failed-log-in"))
# Only these are written to the env file. A caller's other variables apply to one start.
LIVES_IN_ENV_FILE = (
    *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SITE_URL", "SIMULATOR_URL", "FLOWER_URL"),
    *("MAILROOM_LOCAL", "EMAIL_PROVIDERS"),
    *("SIMULATOR_WEBHOOK_KEY", "SENDGRID_WEBHOOK_KEY", "SES_WEBHOOK_TOPICS", "SNS_CERTIFICATE_FILE"),
    "POSTMARK_WEBHOOK_AUTH",
)


class StackError(RuntimeError):
    """The stack did not start; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    web: int = 8000
    flower: int = 5555
    simulator: int = 8025


class Stack:
    """A stack in a folder. `caller`: the environment of the command that starts it."""

    def __init__(self, folder: Path, ports: Ports, caller: Mapping[str, str]) -> None:
        self.folder = folder.absolute()
        # Passwords, logs and emails: only their owner may read them.
        self.folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        self.ports = ports
        self.caller = dict(caller)
        exempt(self.caller)
        # The stack's processes get their servers as URLs.
        for part in ("POSTGRES_HOST", "REDIS_HOST"):
            self.caller.pop(part, None)
        self.supervisor = Supervisor(self.folder)
        self.servers: list[Server] = []
        if "DATABASE_URL" not in self.caller:
            self.servers.append(Postgres(self.folder / "postgres", self._kept_port("postgres")))
        if "REDIS_URL" not in self.caller:
            self.servers.append(Valkey(self.folder / "valkey", self._kept_port("valkey")))

    @cached_property
    def admin_password(self) -> str:
        return kept_secret(self.folder / "admin.password")

    @cached_property
    def flower_password(self) -> str:
        return kept_secret(self.folder / "flower.password")

    @property
    def simulator_keys(self) -> Path:
        return self.folder / "simulator" / "keys"

    @cached_property
    def site_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.web}"

    @cached_property
    def flower_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.flower}"

    @cached_property
    def simulator_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.simulator}"

    @cached_property
    def environment(self) -> dict[str, str]:
        """The environment of every process of the stack. The caller's values override the generated ones."""
        generated = {
            "SECRET_KEY": kept_secret(self.folder / "secret.key"),
            "EMAIL_PROVIDERS": "simulator",
            # On one machine all clients have one IP address.
            "CLIENT_LIMITS": PLENTY,
            **self._webhook_proofs(),
            **{"DATABASE_URL" if server.name == "postgres" else "REDIS_URL": server.url for server in self.servers},
        }
        fixed = {
            "MAILROOM_LOCAL": "1",
            "MAILROOM_ENV_FILE": str(self.folder / "env"),
            "STATIC_ROOT": str(self.folder / "static"),
            "SITE_URL": self.site_url,
            "SIMULATOR_URL": self.simulator_url,
            "FLOWER_URL": self.flower_url,
            "WEB_PORT": str(self.ports.web),
            "FLOWER_PORT": str(self.ports.flower),
            "SIMULATOR_PORT": str(self.ports.simulator),
            "PYTHONUNBUFFERED": "1",
        }
        return generated | self.caller | fixed

    def _webhook_proofs(self) -> dict[str, str]:
        # Settings with which the site verifies the simulated providers' reports.
        curve = kept_keys(self.simulator_keys).public_curve()
        return {
            "SIMULATOR_WEBHOOK_KEY": curve,
            "SENDGRID_WEBHOOK_KEY": curve,
            "SES_WEBHOOK_TOPICS": TOPIC,
            "SNS_CERTIFICATE_FILE": str(certificate_file(self.simulator_keys)),
            "POSTMARK_WEBHOOK_AUTH": f"postmark:{kept_secret(self.folder / 'postmark-webhook.password')}",
        }

    def start(self, say: Callable[[str], None]) -> None:
        """Start everything and wait until it is healthy. Raises StackError, SupervisorError or ServerError."""
        say("Starting PostgreSQL and Valkey …" if self.servers else "Using the given PostgreSQL and Redis …")
        for server in self.servers:
            server.prepare()
        write_env(self.folder / "env", {name: self.environment[name] for name in LIVES_IN_ENV_FILE})
        programs = [*self._server_programs(), self._simulator(), *(self._program(process) for process in PROCESSES)]
        self.supervisor.start(programs, self.caller)
        for server in self.servers:
            self.supervisor.start_program(server.name)
            server.wait_ready()
            if isinstance(server, Postgres):
                server.create_database()
        say("Preparing the database …")
        self._prepare_database()
        say("Starting the processes …")
        self.supervisor.start_program(SIMULATOR)
        for process in PROCESSES:
            self._heartbeat(process).unlink(missing_ok=True)
            self.supervisor.start_program(process.name)
        self._wait_healthy()
        self._introduce_workers()

    def stop(self) -> None:
        self.supervisor.stop()

    def destroy(self) -> None:
        """Stop everything, and delete the servers' files outside of the stack's folder."""
        self.stop()
        for server in self.servers:
            server.destroy()

    @contextmanager
    def running(self, say: Callable[[str], None]) -> Iterator[None]:
        """Run the stack until the block ends, then destroy it. Raises what `start` raises."""
        try:
            self.start(say=say)
            yield
        finally:
            self.destroy()

    def manage(self, *arguments: str, **environment: str) -> str:
        """Run a management command in the stack's environment and return what it prints. Raises StackError."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE_DIR,
            env=self.environment | {"MAILROOM_ROLE": Role.MANAGE} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last_lines = (done.stderr or done.stdout).strip().splitlines()[-5:]
            raise StackError("\n".join([f"manage.py {arguments[0]} failed:", *last_lines]))
        return done.stdout

    def _prepare_database(self) -> None:
        self.manage("migrate", "--no-input", "-v", "0")
        self.manage("collectstatic", "--no-input", "-v", "0")
        there = f"from accounts.models import User; print(User.objects.filter(email={ADMIN_ADDRESS!r}).exists())"
        if "True" not in self.manage("shell", "-v", "0", "-c", there):
            self.manage(
                *("createsuperuser", "--no-input", "--email", ADMIN_ADDRESS),
                DJANGO_SUPERUSER_PASSWORD=self.admin_password,
            )

    def _kept_port(self, name: str) -> int:
        # The port of the last start, if it is still free, so that open shells keep working.
        note = self.folder / f"{name}.port"
        if note.exists() and is_free(int(note.read_text())):
            return int(note.read_text())
        port = free_port()
        note.write_text(str(port))
        return port

    def _server_programs(self) -> list[Program]:
        return [
            Program(
                name=server.name,
                command=server.command,
                user=server.owner,
                directory=Path("/"),
                stop_signal=server.stop_signal.name.removeprefix("SIG"),
                stop_s=30,
                priority=1,
            )
            for server in self.servers
        ]

    def _program(self, process: Process) -> Program:
        environment = {"MAILROOM_ROLE": process.role.value}
        if process.heartbeat:
            environment["MAILROOM_HEARTBEAT_FILE"] = str(self._heartbeat(process))
        if size := pool_size(process, Environment(self.environment)):
            environment["DATABASE_POOL_SIZE"] = str(size)
        if process.role is Role.FLOWER:
            environment["FLOWER_BASIC_AUTH"] = f"operator:{self.flower_password}"
        return Program(
            name=process.name,
            command=command_line(process, run=self.folder, env=Environment(self.environment)),
            environment=self._added_environment() | environment,
            stop_s=process.stop_s,
        )

    def _simulator(self) -> Program:
        options = ("--port", str(self.ports.simulator), "--folder", str(self.folder / "simulator"))
        return Program(
            name=SIMULATOR,
            command=[
                *(sys.executable, "-m", "devtools.simulator", *options),
                *("--webhook-url", f"{self.site_url}/webhooks/"),
            ],
            environment=self._added_environment() | {"MAILROOM_ROLE": Role.MANAGE.value},
            # Stops after the last worker.
            priority=10,
        )

    def _added_environment(self) -> dict[str, str]:
        # Programs inherit the rest from supervisord.
        return {name: value for name, value in self.environment.items() if self.caller.get(name) != value}

    def _heartbeat(self, process: Process) -> Path:
        return self.folder / f"{process.name}.heartbeat"

    def _wait_healthy(self) -> None:
        give_up_at = time.monotonic() + HEALTHY_WITHIN_S
        waiting = [SIMULATOR, *(process.name for process in PROCESSES)]
        while waiting:
            waiting = [name for name in waiting if not self.healthy(name)]
            if waiting and (time.monotonic() > give_up_at or self.supervisor.state(waiting[0]) == "FATAL"):
                raise StackError(self._startup_failure(waiting[0]))
            time.sleep(0.2 if waiting else 0)

    def _introduce_workers(self) -> None:
        # Flower asks the workers for their queues only when it starts, maybe before they are up.
        requests.get(
            f"{self.flower_url}/api/workers",
            params={"refresh": "1"},
            auth=("operator", self.flower_password),
            timeout=HEALTHY_WITHIN_S,
        )

    def healthy(self, name: str) -> bool:
        if name == SIMULATOR:
            return answers(self.ports.simulator, "/healthz", HOST)
        return healthy(name, self.environment, self.folder)

    def _startup_failure(self, name: str) -> str:
        log = self.supervisor.log_folder / f"{name}.log"
        end = log.read_text(errors="replace")[-3000:] if log.exists() else "(the log is empty)"
        return f"{name} did not start. The end of {log}:\n{end}"
