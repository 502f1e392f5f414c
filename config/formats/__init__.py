"""How dates read if a page does not override it. In the admin, operators compare seconds."""
