"""The Compose file of this checkout, with the settings of the README, and its images."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from config.environment import BASE_DIR
from devtools.stack.ports import free_port
from tests.containers import certificate
from tests.containers.engine import Engine, EngineError, run

BASES = Path(__file__).with_name("bases")
PROJECT = "mailroom-containers"
# With all characters that are special in a URL, a shell, Compose or Redis.
HARD = 'p/a?s#s$w[o]r:d@"\\%x'
SECRETS = {
    "SECRET_KEY": f"$ecret{'kK9-' * 15}",
    "POSTGRES_PASSWORD": HARD,
    "REDIS_PASSWORD": HARD,
    "FLOWER_BASIC_AUTH": "operator:flower-password",
}
SETTINGS = {
    "ALLOWED_HOSTS": "127.0.0.1",
    "BEHIND_TLS_PROXY": "1",
    "TRUSTED_PROXIES": "1",
    "DEFAULT_FROM_EMAIL": "Mailroom <hello@mailroom.example>",
    "EMAIL_PROVIDERS": "smtp",
    "SMTP_URL": "smtp://mailpit:1025",
    "EMAIL_RATE": "smtp=50",
    # A worker that is killed while sending leaves an uncertain message, which must be settled within the test.
    "UNCERTAIN_SETTLE_S": "20",
}
# Replaces Mailpit by an inbox that survives its container.
OVERRIDE = """
services:
  mailpit:
    image: {project}-inbox
    restart: unless-stopped
    ports: !reset []
    environment: {{INBOX_DELAY_S: "{delay_s:g}"}}
    volumes: ["inbox:/inbox"]
volumes:
  inbox:
"""
NEXT_MIGRATION = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "{last}")]
    operations = [migrations.RunSQL("SELECT pg_sleep(3)", migrations.RunSQL.noop)]
"""


class Site:
    """`url`: the documented proxy, over TLS."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.folder = engine.shared / "mailroom"
        self.version = "this"
        self.files: list[str] = []
        self.port, self.flower_port, self.web_port = free_port(), free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        services = (
            (BASE_DIR / "docker-compose.yml").read_text().partition("\nservices:\n")[2].partition("\nvolumes:\n")[0]
        )
        named = set(re.findall(r"^  ([a-z-]+):$", services, re.MULTILINE))
        self.probed = named - {"preflight", "migrate", "manage", "mailpit"}

    def copy_checkout(self) -> None:
        """Copy the files in Git, with changes, and the modes of a checkout made with umask 077."""
        shutil.rmtree(self.folder, ignore_errors=True)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            source, target = BASE_DIR / name, self.folder / name
            if source.is_file() and not source.is_symlink():
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                shutil.copyfile(source, target)
                target.chmod(0o600)

    def build(self) -> None:
        """Build missing base images, the image, and one of a next version with a migration."""
        if self.engine.makes_bases:
            self._make_bases()
        self._build(self.folder, "mailroom:this")
        self._build(BASES / "inbox", f"{PROJECT}-inbox", f"PYTHON={self._python()}")
        self._build(BASES / "proxy", f"{PROJECT}-proxy")
        following = self.engine.shared / "next"
        following.mkdir(exist_ok=True)
        last = max((self.folder / "accounts" / "migrations").glob("0*.py")).stem
        (following / "9999_next.py").write_text(NEXT_MIGRATION.format(last=last))
        (following / "Dockerfile").write_text(
            "FROM mailroom:this\nCOPY --chmod=644 9999_next.py /app/accounts/migrations/\n"
        )
        self._build(following, "mailroom:next")

    def configure(self, *, inbox_delay_s: float = 0, secrets_in_files: bool = False) -> None:
        """Write .env, or .env and secrets/, as in docs/how-to/deploy.md."""
        in_env = dict(SETTINGS, SITE_URL=self.url, WEB_PORT=str(self.web_port), FLOWER_PORT=str(self.flower_port))
        self.files = ["docker-compose.yml", "docker-compose.override.yml"]
        if secrets_in_files:
            self.files.append("docker-compose.secrets.yml")
            self._write_secrets()
        else:
            in_env |= {name: f"'{value}'" for name, value in SECRETS.items()}
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in in_env.items()))
        override = self.folder / "docker-compose.override.yml"
        override.write_text(OVERRIDE.format(project=PROJECT, delay_s=inbox_delay_s))

    def _write_secrets(self) -> None:
        folder = self.folder / "secrets"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        for name, value in SECRETS.items():
            (folder / name).write_text(value + "\n")
            (folder / name).chmod(0o444)

    def compose(self, *command: str, timeout_s: float = 600) -> str:
        variables = {"MAILROOM_VERSION": self.version, "COMPOSE_PROJECT_NAME": PROJECT, "COMPOSE_PROFILES": "dev"}
        variables["COMPOSE_FILE"] = ":".join(self.files)
        options = {"folder": self.folder, "variables": variables, "timeout_s": timeout_s}
        return run(self.engine, "docker", "compose", *command, **options)  # type: ignore[arg-type]

    def start_proxy(self) -> Path:
        """Start nginx with the documented configuration. Return the certificate that people trust."""
        folder = self.engine.shared / "proxy"
        folder.mkdir(exist_ok=True)
        certificate.write(folder / "site.pem", folder / "site.key", "127.0.0.1")
        text = (BASE_DIR / "docs" / "proxy" / "nginx.conf").read_text()
        text = text.replace("listen 443", f"listen {self.port}").replace("listen 80;", f"listen {free_port()};")
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{self.web_port}").replace("mail.example.com", "127.0.0.1")
        text = re.sub(r"/etc/ssl/\w+/127.0.0.1\.(pem|key)", r"/etc/nginx/conf.d/site.\1", text)
        (folder / "mailroom.conf").write_text(text)
        self.remove_proxy()
        mount = f"{self.engine.visible(folder)}:/etc/nginx/conf.d:ro"
        command = ("docker", "run", "-d", "--name", f"{PROJECT}-proxy", "--network", "host", "--restart", "always")
        run(self.engine, *command, "-v", mount, f"{PROJECT}-proxy")
        return folder / "site.pem"

    def remove_proxy(self) -> None:
        run(self.engine, "docker", "rm", "-f", f"{PROJECT}-proxy")

    def health(self) -> dict[str, str]:
        lines = self.compose("ps", "-a", "--format", "{{.Service}} {{.Health}}").splitlines()
        return dict(line.split(" ", 1) for line in lines if not line.startswith(("mailpit", "preflight", "migrate")))

    def wait_healthy(self, within_s: float = 180) -> float:
        """Wait until every container is healthy. Return the seconds. Raises EngineError."""
        began = time.monotonic()
        while True:
            well = {name for name, state in self.health().items() if state == "healthy"}
            if well >= self.probed:
                return time.monotonic() - began
            if time.monotonic() - began > within_s:
                raise EngineError(f"not healthy after {within_s:g} s: {', '.join(sorted(self.probed - well))}")
            time.sleep(0.5)

    def pid(self, service: str) -> str:
        container = self.compose("ps", "-a", "-q", service).split()[0]
        return run(self.engine, "docker", "inspect", "-f", "{{.State.Pid}}", container).strip()

    def kill(self, service: str) -> None:
        # Kills the process, as the kernel does when memory runs out: after `docker kill` Docker does not restart it.
        command = ("docker", "run", "--rm", "--pid", "host", "--privileged", "--network", "none", "--entrypoint", "sh")
        run(self.engine, *command, f"{PROJECT}-inbox", "-c", f"kill -KILL {self.pid(service)}")

    def inbox(self) -> list[dict[str, object]]:
        lines = self.compose("exec", "-T", "mailpit", "cat", "/inbox/inbox.jsonl").splitlines()
        return [json.loads(line) for line in lines]

    def sql(self, statement: str) -> list[list[str]]:
        psql = ("exec", "-T", "postgres", "psql", "-U", "mailroom", "-d", "mailroom", "-AtF|", "-c")
        return [line.split("|") for line in self.compose(*psql, statement).splitlines()]

    def _make_bases(self) -> None:
        run(self.engine, "docker", "import", "--change", 'CMD ["bash"]', "debian.tar", "debian:trixie-slim")
        for name, tag in self._bases():
            self._build(BASES / name, tag)

    def _bases(self) -> Iterator[tuple[str, str]]:
        """Yield the base images in the Dockerfile and the Compose file."""
        yield "python", self._python()
        compose = (BASE_DIR / "docker-compose.yml").read_text()
        for name in ("postgres", "redis"):
            yield name, re.findall(rf"image: ({name}:\S+)", compose)[0]

    def _python(self) -> str:
        return str(re.findall(r"^FROM (\S+)", (BASE_DIR / "Dockerfile").read_text(), re.MULTILINE)[0])

    def _build(self, source: Path, tag: str, *arguments: str) -> None:
        folder = source
        if not source.is_relative_to(self.engine.shared):
            folder = self.engine.shared / "builds" / source.name
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(source, folder)
            self._give_machine(folder)
        given = [part for argument in arguments for part in ("--build-arg", argument)]
        run(
            self.engine,
            "docker",
            "build",
            "--progress",
            "plain",
            *self.engine.build_options,
            *given,
            "-t",
            tag,
            ".",
            folder=folder,
            timeout_s=1200,
        )

    def _give_machine(self, folder: Path) -> None:
        """Give builds this machine's access to the package index."""
        for name, source in (
            ("pip.conf", Path("/etc/pip.conf")),
            ("ca-certificates.crt", Path("/etc/ssl/certs/ca-certificates.crt")),
        ):
            (folder / name).write_bytes(source.read_bytes() if source.exists() else b"")
