"""The whole application on one machine with nothing but Python: servers from wheels, under a supervisor."""
