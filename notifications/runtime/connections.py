"""Count PostgreSQL's connections: those in use, and those that an ordinary user may open."""

# `reserved_connections` exists from version 16 on.
USED_AND_ALLOWED = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0)
"""
