"""The base of the engine's migrations."""

from typing import Any

from django.db import migrations


class PostgreSQLMigration(migrations.Migration):
    """Changes nothing in a database of another kind: a project may have one beside the default database.

    Django migrates each database, also those of tests, unless a router of the project forbids it.
    """

    def apply(self, project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        if schema_editor.connection.vendor == "postgresql":
            return super().apply(project_state, schema_editor, collect_sql)
        return self.mutate_state(project_state, preserve=False)

    def unapply(self, project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        if schema_editor.connection.vendor == "postgresql":
            return super().unapply(project_state, schema_editor, collect_sql)
        return project_state
