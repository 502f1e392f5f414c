"""Errors that a worker of another version may not have: in a rolling deploy an older one meets what is newer.

An unknown kind or page, a template or tag that is not there, a context or a table of another shape. Their messages
wait for a worker that fits. Exhausted memory and the like would be the same everywhere.
"""

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import ProgrammingError
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.urls import NoReverseMatch

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
    """True if another version of the code may do what raised this."""
    return isinstance(error, _OF_A_VERSION)
