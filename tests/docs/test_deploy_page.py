"""docs/how-to/deploy.md and monitor.md, as far as they can be followed without a container engine."""

import json
import subprocess

import pytest
from ruamel.yaml import YAML

from config.environment import BASE_DIR
from tests.docs.pages import block, text_of

pytestmark = pytest.mark.usefixtures("valkey")

DEPLOY, MONITOR = "deploy.md", "monitor.md"


def test_secrets_of_the_page_are_those_that_the_compose_file_reads(tmp_path):
    commands = block(DEPLOY, "openssl rand")
    subprocess.run(["/bin/sh", "-ec", commands], cwd=tmp_path, check=True)
    overlay = YAML(typ="safe").load(BASE_DIR / "docker-compose.secrets.yml")
    written = {file.name: file.read_text().strip() for file in (tmp_path / "secrets").iterdir()}
    assert set(written) == set(overlay["secrets"])
    assert all(len(value) >= 24 for value in written.values())
    assert len(written["SECRET_KEY"]) >= 50
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


@pytest.mark.django_db
def test_status_has_the_form_of_the_page(client, settings):
    settings.METRICS_TOKEN = "a-token"
    example = block(MONITOR, '"problems"')
    assert client.get("/status.json").status_code == 404
    shown = client.get("/status.json", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    # No process runs here.
    assert (shown.status_code, shown.json()["ok"]) == (503, False)
    named = json.loads(example.replace(", …", "").replace(" …", ""))
    found = shown.json()
    assert set(named) <= set(found)
    assert set(named["problems"][0]) == set(found["problems"][0])
    assert set(named["streams"]["critical"]) <= set(found["streams"]["critical"])
    for page in ("/healthz/live", "/healthz/ready"):
        assert page in text_of(MONITOR)
        assert client.get(page).status_code == 200
