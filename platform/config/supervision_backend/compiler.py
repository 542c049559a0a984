"""Queries that leave hidden columns out, as if each were deferred.

The database refuses those columns (`config.grants`), and Django asks for every column of a row. Leaving them
out here spares each page a list of what it may read; a page that wants one all the same gets the database's
refusal.
"""

from typing import Any

from django.db.backends.postgresql import compiler
from django.db.models import Model
from django.db.models.expressions import Col, Expression
from django.db.models.sql.compiler import SQLAggregateCompiler, SQLDeleteCompiler, SQLUpdateCompiler

from config.grants import is_hidden_column

__all__ = [
    "SQLAggregateCompiler",
    "SQLCompiler",
    "SQLDeleteCompiler",
    "SQLInsertCompiler",
    "SQLUpdateCompiler",
]

SQLInsertCompiler = compiler.SQLInsertCompiler


class SQLCompiler(compiler.SQLCompiler):
    def get_default_columns(
        self,
        select_mask: dict[str, Any],
        start_alias: str | None = None,
        opts: Any | None = None,
        from_parent: type[Model] | None = None,
    ) -> list[Expression]:
        columns = super().get_default_columns(select_mask, start_alias, opts, from_parent)
        if select_mask:  # named one by one, also when a deferred attribute is read
            return columns
        return [column for column in columns if not _is_hidden(column)]


def _is_hidden(column: Expression) -> bool:
    return isinstance(column, Col) and is_hidden_column(column.target.column or "")
