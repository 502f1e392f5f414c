"""A library of template tags that replaces two of Django's."""

from django.template import Library
from django.template.base import TextNode

register = Library()


@register.filter
def upper(value):
    return f"{value}!"


@register.tag("if")
def other_if(parser, token):
    parser.parse(("endif",))
    parser.delete_first_token()
    return TextNode("other")
