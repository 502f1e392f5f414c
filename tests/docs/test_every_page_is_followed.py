"""Each how-to page is followed by a test, and each command line on one is run, or is not for a reason."""

import re

import pytest

from config.environment import BASE_DIR
from tests.docs.pages import FOLDER, blocks

PAGES = sorted(page.name for page in FOLDER.glob("*.md"))
# The tests that run what a page says. A new page needs one.
FOLLOWED_BY = {
    "add-a-kind.md": ["tests/docs/test_kinds_page.py"],
    "add-a-provider.md": ["tests/notifications/providers/test_add_a_provider.py"],
    "announce.md": ["tests/docs/test_how_to_pages.py"],
    "answer-users.md": ["tests/docs/test_how_to_pages.py", "tests/docs/test_explanations_page.py"],
    "attach-files.md": ["tests/docs/test_draft_pages.py"],
    "check-a-provider.md": ["tests/docs/test_check_page.py"],
    "deploy.md": ["tests/containers/site.py", "tests/docs/test_deploy_page.py"],
    "inject-faults.md": ["tests/docs/test_faults_page.py"],
    "install.md": ["tests/adopt/installed.py"],
    "monitor.md": ["tests/docs/test_how_to_pages.py"],
    "move-from-celery-email.md": ["tests/docs/test_sending_pages.py"],
    "move-from-django-mailer.md": ["tests/docs/test_sending_pages.py", "tests/adopt/test_moving.py"],
    "move-from-post-office.md": ["tests/docs/test_sending_pages.py", "tests/adopt/test_moving.py"],
    "move-from-send-mail-in-celery.md": ["tests/docs/test_sending_pages.py"],
    "react-to-deliveries.md": ["tests/docs/test_react_page.py"],
    "read-logs.md": ["tests/docs/test_logs_page.py"],
    "read-the-dashboard.md": ["tests/docs/test_dashboard_page.py"],
    "resend.md": ["tests/docs/test_how_to_pages.py"],
    "schedule.md": ["tests/docs/test_draft_pages.py"],
    "send-django-email.md": ["tests/docs/test_sending_pages.py"],
    "set-up-webhooks.md": ["tests/docs/test_webhooks_page.py"],
    "show-progress.md": ["tests/docs/test_recipients_pages.py"],
    "stage.md": ["tests/docs/test_sending_pages.py"],
    "steer.md": ["tests/docs/test_how_to_pages.py"],
    "test-your-email.md": ["tests/docs/test_testing_page.py", "tests/adopt/test_testing.py"],
    "try-beside-your-backend.md": ["tests/docs/test_trial_page.py"],
    "try.md": ["tests/docs/test_try_page.py"],
    "unsubscribe.md": ["tests/docs/test_recipients_pages.py"],
    "upgrade.md": ["tests/containers/scenario.py", "tests/upgrade/test_migrations.py"],
}
_COMMAND = re.compile(
    r"^(?:aws|cat|celery|chmod|cp|curl|docker|echo|export|git|make|mkdir|openssl|pip|promtool|redis-cli)\b.*",
    re.MULTILINE,
)
# Other command lines than those of manage.py, which tests/docs/test_how_to_pages.py reads: by their beginnings.
RUN = (
    "aws ",
    "make prove",
    "pip install pytest",
    "make up",
    "curl -s -X PUT",
    "mkdir -m 700",
    "openssl ",
    "echo ",
    "chmod ",
)
NOT_RUN = {
    "cp .env.example": "tests/docs/test_env_example.py reads the file",
    "docker compose run --rm preflight": "tests/docs/test_container_servers.py runs the script",
    "docker compose up": "needs a container engine: make containers",
    "docker compose build": "needs a container engine: make containers",
    "docker compose run --rm migrate": "needs a container engine: make containers",
    "docker compose run --rm manage createsuperuser": "asks for a password",
    "docker compose run --rm -T --no-deps manage status": "needs a container engine; the command itself is run",
    "docker compose run --rm --no-deps --user root": "for volumes of a release before",
    "docker ps -q": "needs a container engine",
    "git pull": "changes the checkout",
    "export MAILROOM_VERSION": "for the lines after it",
    'curl -H "Authorization': "the same request is made without curl: tests/docs/test_deploy_page.py",
}


def command_lines(page):
    return [line for block in blocks(page) for line in _COMMAND.findall(block)]


def test_each_page_has_a_test():
    assert list(FOLLOWED_BY) == PAGES


@pytest.mark.parametrize("page", FOLLOWED_BY)
def test_test_of_the_page_names_it(page):
    for test in FOLLOWED_BY[page]:
        assert page in (BASE_DIR / test).read_text(), test


@pytest.mark.parametrize("page", PAGES)
def test_each_command_line_is_run_or_there_is_a_reason(page):
    known = (*RUN, *NOT_RUN)
    assert [line for line in command_lines(page) if not line.startswith(known)] == []


def test_reasons_are_for_lines_that_exist():
    lines = [line for page in PAGES for line in command_lines(page)]
    assert [start for start in (*RUN, *NOT_RUN) if not any(line.startswith(start) for line in lines)] == []
