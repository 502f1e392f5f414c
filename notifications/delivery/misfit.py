"""Recognize errors that a worker of another version may not raise."""

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import ProgrammingError
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.urls import NoReverseMatch

# In a rolling deploy, an older worker meets newer messages: an unknown kind or page, a missing template or tag, a
# context or a table of another shape. Such messages wait for a worker of the right version. Errors like exhausted
# memory would be the same in every worker.

_OF_A_VERSION = (
    LookupError,  # kinds.UnknownKindError and rendering.MissingVariableError too
    AttributeError,
    TypeError,
    ValueError,
    NameError,
    ImportError,
    TemplateDoesNotExist,
    TemplateSyntaxError,
    NoReverseMatch,
    FieldDoesNotExist,
    FieldError,
    ProgrammingError,  # a column or table that is not there yet, or no longer
)


def may_fit_elsewhere(error: BaseException) -> bool:
    return isinstance(error, _OF_A_VERSION)
