"""An app with one kind of bulk email: product news, but with the default guarantee, at least once."""
