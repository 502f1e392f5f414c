"""`make docs`: the documentation as a site, in .local/docs/site."""
