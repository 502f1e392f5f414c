"""Sphinx' configuration: https://www.sphinx-doc.org/en/master/usage/configuration.html"""

import django

django.setup()

project = "Mailroom"
author = "Mailroom"
language = "en"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["screenshots/*"]
html_theme = "furo"
html_title = "Mailroom"
html_show_sourcelink = False
html_copy_source = False
# Links to headings, as GitHub names them.
myst_heading_anchors = 4
# Blocks of code are shell, Python, Django and settings, without a mark.
highlight_language = "none"
# Docstrings write names of code as `name`.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 100
