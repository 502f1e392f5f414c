"""How dates read where no page says otherwise: in the admin, where operators compare seconds."""
