"""Query an account over a JSON API, with errors translated to ours."""

from abc import abstractmethod
from typing import Any, ClassVar

import requests

from notifications.conf import settings
from notifications.providers.base.account import Account, unreadable
from notifications.providers.base.deadline import within
from notifications.providers.base.failures import before_the_wire
from notifications.providers.base.http import HttpProvider, session, timeouts
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass

NOT_THERE = f"http-{requests.codes.not_found}"
# The key is valid, but not for this query. (SendGrid uses either, depending on the age of the endpoint.)
NOT_ALLOWED = {f"http-{requests.codes.unauthorized}", f"http-{requests.codes.forbidden}"}


class HttpAccount(Account):
    sender: ClassVar[type[HttpProvider]]

    @abstractmethod
    def api_url(self) -> str:
        """Return the URL to append paths to, with a slash at its end."""

    @abstractmethod
    def headers(self) -> dict[str, str]:
        """Return the headers that carry the credentials."""

    def ask(self, method: str, path: str, *, params: dict[str, str] | None = None, body: Any = None) -> Any:
        """Return the decoded JSON of a 2xx answer, None for an empty one. Raises only ProviderError."""
        response = self._respond(method, path, params=params, body=body)
        if not response.content:
            return None
        try:
            return response.json()
        except requests.JSONDecodeError:
            failure = unreadable()
        raise failure

    def read(self, path: str, *, key: str, **params: str) -> list[dict[str, Any]]:
        """Return the list of objects under `key` in the answer. Raises ProviderError."""
        return objects(self.document(path, **params).get(key))

    def document(self, path: str, **params: str) -> dict[str, Any]:
        answer = self.ask("GET", path, params=params)
        if not isinstance(answer, dict):
            raise unreadable()
        return answer

    def _respond(self, method: str, path: str, *, params: dict[str, str] | None, body: Any) -> requests.Response:
        failure: ProviderError
        try:
            with within(settings.PROVIDER_DEADLINE_S), session() as http:
                response = http.request(
                    method,
                    self.api_url() + path,
                    params=params,
                    json=body,
                    headers={"Accept": "application/json", **self.headers()},
                    auth=_as_it_is,
                    timeout=timeouts(),
                )
        except (requests.RequestException, UnicodeEncodeError) as error:
            failure = before_the_wire(error) or self.sender().translate(error)
        else:
            if requests.codes.ok <= response.status_code < requests.codes.multiple_choices:
                return response
            failure = _of_a_query(self.sender().translate(requests.HTTPError(response=response)), response)
        # Raised outside the handler, so that the library's exception is not its context.
        raise failure


def _of_a_query(failure: ProviderError, response: requests.Response) -> ProviderError:
    # A query can always be repeated.
    if failure.error_class is ErrorClass.AMBIGUOUS and response.status_code >= requests.codes.server_error:
        return ProviderError(ErrorClass.TRANSIENT, failure.code, failure.detail)
    return failure


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # Without `auth`, `requests` would replace the API key by a password from ~/.netrc.
    return request


def objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise unreadable()
    return value


def whole_number(answer: dict[str, Any], name: str) -> int:
    value = answer.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unreadable()
    return int(value)
