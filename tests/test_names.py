"""A class or function name of the product, and the id of a check, has one meaning."""

import ast
from collections import defaultdict

from tests.product import modules, nodes

# Django looks for this name in the module of every management command.
REQUIRED = {"Command"}
# Common verbs: their module says what they act on.
VERBS = {
    "claim", "connect", "count", "deliver", "drop", "get", "main", "read", "register", "release", "reset", "resend",
}  # fmt: skip
# A setting of the engine names a function of the site, which answers the same question.
NAMED_BY_SETTINGS = {"has_confirmed", "preview_user"}
# The webhook of each provider names the step so that reads the kind of a bounce.
OF_EACH_WEBHOOK = {"bounce_kind"}


def names():
    found = defaultdict(list)
    for path, module in modules().items():
        for node in module.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                found[node.name].append(path)
    return found


def test_no_class_or_function_name_has_two_meanings():
    allowed = REQUIRED | VERBS | NAMED_BY_SETTINGS | OF_EACH_WEBHOOK
    assert {name: paths for name, paths in names().items() if len(paths) > 1 and name not in allowed} == {}


def test_id_of_a_check_belongs_to_one_module():
    found = defaultdict(set)
    for path, argument in nodes(ast.keyword):
        if argument.arg == "id" and str(getattr(argument.value, "value", "")).startswith("mailroom."):
            found[argument.value.value].add(path)
    assert len(found) > 50
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}
