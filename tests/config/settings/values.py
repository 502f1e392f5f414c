"""Values that a shell, an env file or a URL could misinterpret."""

AWKWARD = [
    "$",
    "\\$",
    "$SECRET",
    "${HOME}",
    ",",
    "\\",
    "\\n",
    "#",
    " #",
    "'",
    '"',
    "''",
    '"x"',
    "'x'",
    "=",
    "%",
    "%(x)s",
    "ü",
]


VALUES = [text for one in AWKWARD for text in (f"{one}tail", f"head{one}tail", f"head{one}")]
