"""The database's side of `core.rules.folding`; SQLite is taught it by every new connection."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Func

from core.rules.folding import LETTERS, VERSION, ZEROS_AT_THE_END, fold, version_key

_FROM, _TO = "".join(LETTERS), "".join(LETTERS.values())


class Fold(Func):
    """A text as it is compared, see `core.rules.folding`. In PostgreSQL plain ASCII, which most
    texts are, is spared the long way."""

    function = "muster_fold"
    arity = 1
    output_field = CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        inner, params = compiler.compile(self.source_expressions[0])
        lower = f'LOWER(({inner}) COLLATE "C")'
        sql = (
            f"(CASE WHEN OCTET_LENGTH({inner}) = CHAR_LENGTH({inner}) THEN {lower} "
            f"ELSE TRANSLATE({lower}, '{_FROM}', '{_TO}') END)"
        )
        return sql, [*params, *params, *params, *params]


class VersionKey(Func):
    """A version as it is compared, NULL for what is no version."""

    function = "muster_version_key"
    arity = 1
    output_field = CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        inner, params = compiler.compile(self.source_expressions[0])
        found = f"SUBSTRING(({inner})::text FROM '{VERSION}')"
        sql = f"STRING_TO_ARRAY(REGEXP_REPLACE({found}, '{ZEROS_AT_THE_END}', ''), '.')::bigint[]"
        return sql, params


def teach(connection: Any, **_: Any) -> None:
    """Give a new connection of SQLite the functions; called for every connection."""
    if connection.vendor != "sqlite":
        return
    create = connection.connection.create_function
    create(Fold.function, 1, _none_safe(fold), deterministic=True)
    create(VersionKey.function, 1, _none_safe(version_key), deterministic=True)


def _none_safe(function: Any) -> Any:
    return lambda text: None if text is None else function(str(text))
