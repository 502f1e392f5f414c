"""Figures that do not compare contestants: urgent messages behind bulk, large tables, the idle stack, sign-ups."""
