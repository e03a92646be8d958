"""Refuses migration statements that hold a lock on a large table for longer than an instant.

A revision is one transaction: what it locks stays locked until the last statement, and every reader and sender of the
platform waits behind it. So on a table that existed before the revision:

    constraint   ADD CONSTRAINT … NOT VALID in one revision, VALIDATE CONSTRAINT in the next (which lets others write)
    index        CREATE INDEX CONCURRENTLY, in a revision of its own inside `op.get_context().autocommit_block()`
    NOT NULL     a valid CHECK (column IS NOT NULL) first; then SET NOT NULL needs no scan
    type, value  a new column, filled in batches by a job, and a later revision that drops the old one

Tables made in the same revision are free. A statement that is right in spite of a rule says so in front of it:
`-- lint: allow <code>: <reason>`.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zrg_dagster.core.db.migrate import MIGRATIONS
from zrg_dagster.core.db.sql_statements import Statement, split, split_actions

# Revision 0001 made the first tables; nothing was there to lock.
FIRST_LINTED = "0002"
# Rows here grow with the number of workspaces and of what people configure, never with traffic: a scan takes
# milliseconds. A table that is not named counts as large.
SMALL_TABLES = frozenset(
    {
        *("app.workspace", "app.user", "app.member", "app.workspace_setting", "app.integration", "app.email_host"),
        *("app.email_campaign", "app.sms_campaign", "app.ghl_campaign", "app.ai_persona", "app.kill_switch"),
        *("app.knowledge_asset", "app.qualification_question", "app.calendar", "app.follow_up_sequence"),
        *("app.follow_up_step", "secret.credential", "secret.pepper", "raw.route", "ops.alembic_version"),
    }
)
FIXES = {
    "constraint_not_valid": "add it NOT VALID, and VALIDATE CONSTRAINT in the next revision",
    "validated_too_early": "move VALIDATE CONSTRAINT to the next revision: here it scans under the lock of ADD",
    "index_not_concurrent": "CREATE INDEX CONCURRENTLY in an autocommit block; a constraint then takes it USING INDEX",
    "column_type": "add a new column, fill it in batches, drop the old one later",
    "set_not_null": "validate a CHECK (column IS NOT NULL) in an earlier revision first",
    "not_null_without_default": "give a constant default: existing rows have no value",
    "volatile_default": "add the column without it, SET DEFAULT, fill old rows in batches: it rewrites the table",
    "rewrite": "this rewrites or locks the whole table: do it outside a migration",
    "python_ddl": "write the statement in a file of sql/, where it can be read and checked",
    "bad_allow": "write `-- lint: allow <code>: <reason>` with a known code and a reason",
    "unused_allow": "remove the comment: the statement does not break that rule",
}
# Evaluated once for the statement, so that old rows can share the value without being rewritten.
_STABLE = frozenset({"now", "statement_timestamp", "transaction_timestamp", "current_setting", "numeric", "varchar"})
_NAME = r'(?:ONLY\s+)?("?[\w%]+"?(?:\."?[\w%]+"?)?)'
_ALLOW = re.compile(r"lint:\s*allow\b[ \t]*([^\n]*)")
_ALLOW_FORM = re.compile(r"(\w+):\s*(\S.*)")
# Where a statement of interest begins inside a DO block, which may also carry it in a string for EXECUTE.
_INSIDE_DO = re.compile(
    r"\b(ALTER\s+TABLE|CREATE\s+(?:UNIQUE\s+)?INDEX|REINDEX|CLUSTER|LOCK\s+TABLE|REFRESH\s+MATER).*", re.I | re.S
)
_PLAIN_OPERATIONS = frozenset({"get_bind", "get_context", "execute", "f"})


@dataclass(frozen=True, slots=True)
class Source:
    """One text of a revision: an SQL file, or the strings that its module executes."""

    name: str
    sql: str
    line: int = 1


@dataclass(frozen=True, slots=True)
class Revision:
    """What one revision executes. `calls` are schema operations written in Python, as (file, line, name)."""

    id: str
    sources: Sequence[Source]
    calls: Sequence[tuple[str, int, str]] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One refused statement."""

    revision: str
    place: str  # file:line
    code: str
    statement: str  # its beginning

    def __str__(self) -> str:
        return f"{self.place}: {self.code}: {self.statement}\n    fix: {FIXES[self.code]}"


@dataclass(slots=True)
class _History:
    """What earlier statements left behind."""

    # (table, constraint) → (revision, column that it says is not null)
    added: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    never_null: set[tuple[str, str]] = field(default_factory=set)


def read_revisions(folder: Path = MIGRATIONS) -> list[Revision]:
    """The revisions of a migrations folder in order: their modules and their files `sql/<revision>_*.sql`."""
    found = []
    for module in sorted((folder / "versions").glob("*.py")):
        revision, texts, calls = _module(module)
        files = [Source(path.name, path.read_text()) for path in sorted((folder / "sql").glob(f"{revision}_*.sql"))]
        found.append(Revision(revision, [*files, *texts], calls))
    return sorted(found, key=lambda each: each.id)


def lint(revisions: Sequence[Revision], *, first: str = FIRST_LINTED) -> list[Finding]:
    """Every refused statement of the revisions from `first` on; earlier ones only tell what exists."""
    history = _History()
    findings: list[Finding] = []
    for revision in revisions:
        statements = [(source, each) for source in revision.sources for each in split(source.sql)]
        created = {_table(match[1]) for _, each in statements for match in _CREATE_TABLE.finditer(each.text)}
        found = [
            Finding(revision.id, f"{name}:{line}", "python_ddl", f"op.{call}(…)") for name, line, call in revision.calls
        ]
        for source, statement in statements:
            codes = list(_codes(statement, revision.id, created, history))
            place = f"{source.name}:{source.line + statement.line - 1}"
            found += [
                Finding(revision.id, place, code, " ".join(statement.text.split())[:100])
                for code in _after_allowing(codes, statement)
            ]
        if revision.id >= first:
            findings += found
    return findings


_CREATE_TABLE = re.compile(rf"\bCREATE\s+(?:UNLOGGED\s+|TEMP\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}", re.I)


def _after_allowing(codes: list[str], statement: Statement) -> Iterator[str]:
    allowed = set()
    for match in _ALLOW.finditer("\n".join(statement.comments)):
        form = _ALLOW_FORM.fullmatch(match[1].strip())
        if form is None or form[1] not in FIXES:
            yield "bad_allow"
        elif form[1] not in codes:
            yield "unused_allow"
        else:
            allowed.add(form[1])
    yield from (code for code in dict.fromkeys(codes) if code not in allowed)


def _codes(statement: Statement, revision: str, created: set[str], history: _History) -> Iterator[str]:
    if re.match(r"DO\b", statement.text, re.I):
        for piece in statement.body.split(";"):
            if inside := _INSIDE_DO.search(piece):
                yield from _statement_codes(inside[0].rstrip("') \n"), revision, created, history)
        return
    yield from _statement_codes(statement.text, revision, created, history)


def _statement_codes(text: str, revision: str, created: set[str], history: _History) -> Iterator[str]:
    if match := re.match(rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?{_NAME}\s+(.*)", text, re.I | re.S):
        table = _table(match[1])
        for action in split_actions(match[2]):
            yield from (
                code
                for code in _action_codes(action, table, revision, history)
                if table not in created and (table not in SMALL_TABLES or code == "not_null_without_default")
            )
    elif match := re.match(r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(CONCURRENTLY\b)?.*?\bON\s+" + _NAME, text, re.I | re.S):
        if not match[1] and _table(match[2]) not in created | SMALL_TABLES:
            yield "index_not_concurrent"
    elif re.match(r"(REINDEX|REFRESH\s+MATERIALIZED)\b(?!.*\bCONCURRENTLY\b)", text, re.I | re.S) or re.match(
        r"(CLUSTER|LOCK|VACUUM)\b", text, re.I
    ):
        yield "rewrite"


def _action_codes(action: str, table: str, revision: str, history: _History) -> Iterator[str]:
    if match := re.match(r"VALIDATE\s+CONSTRAINT\s+(\w+)", action, re.I):
        added_in, column = history.added.get((table, match[1].lower()), ("", ""))
        if added_in == revision:
            yield "validated_too_early"
        if column:
            history.never_null.add((table, column))
    elif re.match(r"ADD\s+(CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)\b", action, re.I):
        yield from _constraint_codes(action, table, revision, history)
    elif re.match(r"ADD\b", action, re.I):
        yield from _column_codes(action)
    elif re.match(r"ALTER\b.*?\b(SET\s+DATA\s+)?TYPE\b", action, re.I | re.S):
        yield "column_type"
    elif match := re.match(r"ALTER\s+(?:COLUMN\s+)?\"?(\w+)\"?\s+SET\s+NOT\s+NULL", action, re.I):
        if (table, match[1].lower()) not in history.never_null:
            yield "set_not_null"
    elif re.match(r"SET\s+(TABLESPACE|LOGGED|UNLOGGED|ACCESS\s+METHOD)\b", action, re.I):
        yield "rewrite"


def _constraint_codes(action: str, table: str, revision: str, history: _History) -> Iterator[str]:
    if re.search(r"\b(UNIQUE|PRIMARY\s+KEY|EXCLUDE)\b", action, re.I):
        if not re.search(r"\bUSING\s+INDEX\b", action, re.I):
            yield "index_not_concurrent"
        return
    if not re.search(r"\bNOT\s+VALID\b", action, re.I):
        yield "constraint_not_valid"
    if name := re.match(r"ADD\s+CONSTRAINT\s+\"?(\w+)", action, re.I):
        not_null = re.search(r"CHECK\s*\(\s*\(?\s*\"?(\w+)\"?\s+IS\s+NOT\s+NULL\s*\)?\s*\)", action, re.I)
        history.added[table, name[1].lower()] = (revision, not_null[1].lower() if not_null else "")


def _column_codes(action: str) -> Iterator[str]:
    default = re.search(r"\bDEFAULT\b(.*)", action, re.I | re.S)
    generated = re.search(r"\bGENERATED\b|\b(?:small|big)?serial\b", action, re.I)
    calls = {name.lower() for name in re.findall(r"(\w+)\s*\(", default[1])} if default else set()
    # What follows the default in the definition of a column is not part of its value.
    if generated or calls - _STABLE - {"check", "references"}:
        yield "volatile_default"
    if re.search(r"\bNOT\s+NULL\b", action, re.I) and not default and not generated:
        yield "not_null_without_default"
    if re.search(r"\bCHECK\s*\(", action, re.I) or (default and re.search(r"\bREFERENCES\b", action, re.I)):
        yield "constraint_not_valid"
    if re.search(r"\b(UNIQUE|PRIMARY\s+KEY)\b", action, re.I):
        yield "index_not_concurrent"


def _table(name: str) -> str:
    return name.replace('"', "").lower()


def _module(path: Path) -> tuple[str, list[Source], list[tuple[str, int, str]]]:
    """(revision id, texts that it executes, schema operations in Python) of a version module."""
    revision, texts, calls = "", [], []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            if [target.id for target in node.targets if isinstance(target, ast.Name)] == ["revision"]:
                revision = str(node.value.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "op" and node.func.attr not in _PLAIN_OPERATIONS:
                calls.append((path.name, node.lineno, node.func.attr))
            for given in node.args[:1]:
                if node.func.attr in ("execute", "exec_driver_sql", "text") and isinstance(given, ast.Constant):
                    texts.append(Source(path.name, str(given.value), given.lineno))
    return revision, texts, calls
