"""What went wrong, in words that may be stored and logged: an error of the database quotes rows, and rows hold people."""

import psycopg
from sqlalchemy.exc import DBAPIError

from zrg_dagster.core.base.log import redact_text

# Data errors quote the value that did not fit.
_QUOTES_VALUES = "22"


def describe(error: BaseException) -> str:
    """Type and message of `error`, redacted. Of a database error the SQLSTATE, the objects it names and its first line:
    never the statement, its parameters or the offending row."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if not isinstance(cause, psycopg.Error) or cause.sqlstate is None:
        return redact_text(f"{type(cause).__name__}: {cause}")
    diag = cause.diag
    objects = ".".join(name for name in (diag.table_name, diag.column_name, diag.constraint_name) if name)
    said = "" if cause.sqlstate.startswith(_QUOTES_VALUES) else diag.message_primary or ""
    parts = (type(cause).__name__, cause.sqlstate, objects, redact_text(said))
    return ": ".join(part for part in parts if part)
