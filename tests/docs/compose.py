"""The Compose file and the Dockerfile, parsed."""

from ruamel.yaml import YAML

from config.environment import BASE_DIR

COMPOSE = YAML(typ="safe").load(BASE_DIR / "docker-compose.yml")


SERVICES = COMPOSE["services"]


DOCKERFILE = (BASE_DIR / "Dockerfile").read_text().replace("\\\n", " ")
