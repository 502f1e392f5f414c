"""What a browser has to say against a page: blocked by the policy, broken scripts, files that are not there."""

from playwright.sync_api import ConsoleMessage, Page, Response

BAD_REQUEST = 400


class Complaints:
    """Collects them from the moment it is made."""

    def __init__(self, page: Page) -> None:
        self.said: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(f"{page.url}: {error}"))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # The browser remarks every error page; which ones are in order is said by the tests.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.said.append(f"{message.location.get('url')}: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= BAD_REQUEST and response.request.resource_type != "document":
            self.said.append(f"{response.url}: {response.status}")
