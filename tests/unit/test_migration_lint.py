"""The lint of migrations: what would lock a large table is refused, the safe form of it is not."""

import pytest

from zrg_dagster.core.db.migration_lint import (
    FIXES,
    SMALL_TABLES,
    Finding,
    Revision,
    Source,
    lint,
    read_revisions,
)
from zrg_dagster.core.db.sql_statements import split

EXISTING = Revision(
    "0001", [Source("0001_tables.sql", "CREATE TABLE app.message (id uuid); CREATE TABLE app.lead (i int);")]
)


def codes(*texts: str) -> list[str]:
    """What is refused in revisions 0002, 0003, … of these texts."""
    revisions = [Revision(f"{2 + i:04}", [Source(f"{2 + i:04}_x.sql", text)]) for i, text in enumerate(texts)]
    return [each.code for each in lint([EXISTING, *revisions])]


REFUSED = [
    ("constraint_not_valid", "ALTER TABLE app.message ADD CONSTRAINT c CHECK (id IS NOT NULL)"),
    ("constraint_not_valid", "ALTER TABLE app.message ADD CHECK (a > 0)"),
    ("constraint_not_valid", "ALTER TABLE ONLY app.message ADD FOREIGN KEY (a, b) REFERENCES app.lead (a, b)"),
    ("constraint_not_valid", 'alter table app."message"\n add constraint c\n foreign key (a) references app.lead (i)'),
    ("constraint_not_valid", "ALTER TABLE app.message ADD COLUMN a int CHECK (a > 0)"),
    ("constraint_not_valid", "ALTER TABLE app.message ADD a int, ADD CONSTRAINT c CHECK (f(a, 'x;y'))"),
    ("index_not_concurrent", "ALTER TABLE app.message ADD CONSTRAINT u UNIQUE (a)"),
    ("index_not_concurrent", "ALTER TABLE app.message ADD PRIMARY KEY (a)"),
    ("index_not_concurrent", "ALTER TABLE app.message ADD COLUMN a int UNIQUE"),
    ("index_not_concurrent", "CREATE INDEX i ON app.message (id)"),
    ("index_not_concurrent", "CREATE UNIQUE INDEX IF NOT EXISTS i ON ONLY app.message USING brin (id)"),
    ("column_type", "ALTER TABLE app.message ALTER COLUMN body TYPE varchar(10)"),
    ("column_type", "ALTER TABLE IF EXISTS app.message ALTER body SET DATA TYPE bytea USING body::bytea"),
    ("set_not_null", "ALTER TABLE app.message ALTER COLUMN body SET NOT NULL"),
    ("not_null_without_default", "ALTER TABLE app.message ADD COLUMN a int NOT NULL"),
    ("volatile_default", "ALTER TABLE app.message ADD COLUMN a uuid DEFAULT gen_random_uuid()"),
    ("volatile_default", "ALTER TABLE app.message ADD COLUMN a timestamptz NOT NULL DEFAULT clock_timestamp()"),
    ("volatile_default", "ALTER TABLE app.message ADD COLUMN a text GENERATED ALWAYS AS (b || c) STORED"),
    ("volatile_default", "ALTER TABLE app.message ADD COLUMN a bigserial"),
    ("rewrite", "ALTER TABLE app.message SET UNLOGGED"),
    ("rewrite", "LOCK TABLE app.message"),
    ("rewrite", "CLUSTER app.message USING i"),
    ("rewrite", "REINDEX TABLE app.message"),
    ("constraint_not_valid", "DO $$ BEGIN IF true THEN ALTER TABLE app.message ADD CHECK (a > 0); END IF; END $$"),
    ("index_not_concurrent", "DO $x$ BEGIN EXECUTE format('CREATE INDEX ON %I.%I (id)', 'app', 'message'); END $x$"),
]


@pytest.mark.parametrize(("code", "statement"), REFUSED, ids=[statement for _, statement in REFUSED])
def test_a_statement_that_locks_a_large_table_is_refused(code, statement):
    assert codes(statement) == [code]


@pytest.mark.parametrize("statement", [
    "ALTER TABLE app.message ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
    "ALTER TABLE app.message ADD FOREIGN KEY (a) REFERENCES app.lead (i) ON DELETE SET NULL (a) NOT VALID",
    "ALTER TABLE app.message ADD CONSTRAINT u UNIQUE USING INDEX i",
    "CREATE UNIQUE INDEX CONCURRENTLY i ON app.message (id)",
    "REINDEX INDEX CONCURRENTLY i",
    "ALTER TABLE app.message ADD COLUMN a text, ADD COLUMN b int NOT NULL DEFAULT 0, ADD c jsonb DEFAULT '{}'",
    "ALTER TABLE app.message ADD COLUMN a timestamptz NOT NULL DEFAULT now()",
    "ALTER TABLE app.message ADD COLUMN a uuid REFERENCES app.lead (i)",
    "ALTER TABLE app.message ALTER COLUMN a SET DEFAULT gen_random_uuid(), ALTER b DROP NOT NULL",
    "ALTER TABLE app.message ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    "CREATE TABLE app.fresh (id uuid DEFAULT gen_random_uuid()); CREATE INDEX ON app.fresh (id);"
    "ALTER TABLE app.fresh ADD CHECK (true), ALTER id TYPE text, ALTER id SET NOT NULL",
    "ALTER TABLE app.workspace_setting ADD CONSTRAINT c CHECK (a > 0); CREATE INDEX ON app.workspace (key)",
    "-- CREATE INDEX i ON app.message (id);\n/* LOCK TABLE app.message; */ SELECT 'x; LOCK TABLE app.message'",
    "CREATE FUNCTION app.f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN LOCK TABLE app.message; END $$",
    "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
])  # fmt: skip
def test_the_safe_form_passes(statement):
    assert codes(statement) == []


def test_a_table_is_free_in_the_revision_that_makes_it_and_in_no_later_one():
    made = "CREATE TABLE app.fresh (id int)"
    assert codes(made + "; CREATE INDEX ON app.fresh (id)") == []
    assert codes(made, "CREATE INDEX ON app.fresh (id)") == ["index_not_concurrent"]
    assert codes(made, "ALTER TABLE app.fresh ALTER id SET NOT NULL") == ["set_not_null"]


def test_a_constraint_is_validated_in_a_later_revision_than_the_one_that_adds_it():
    add = "ALTER TABLE app.message ADD CONSTRAINT c CHECK (body IS NOT NULL) NOT VALID"
    validate = "ALTER TABLE app.message VALIDATE CONSTRAINT c"
    not_null = "ALTER TABLE app.message ALTER COLUMN body SET NOT NULL"
    assert codes(f"{add}; {validate}") == ["validated_too_early"]
    assert codes(add, validate, not_null) == []
    assert codes(add, f"{validate}; {not_null}") == []
    assert codes(add, not_null) == ["set_not_null"], "a check that was never validated proves nothing"
    other = "ALTER TABLE app.message ALTER COLUMN subject SET NOT NULL"
    assert codes(add, validate, other) == ["set_not_null"]


def test_an_allow_comment_names_its_rule_and_its_reason():
    index = "CREATE INDEX i ON app.message (id);"
    assert codes(f"-- lint: allow index_not_concurrent: the table is emptied first\n{index}") == []
    assert codes(f"-- lint: allow index_not_concurrent:\n{index}") == ["bad_allow", "index_not_concurrent"]
    assert codes(f"-- lint: allow everything: because\n{index}") == ["bad_allow", "index_not_concurrent"]
    assert codes(f"-- lint: allow rewrite: because\n{index}") == ["unused_allow", "index_not_concurrent"]
    only_the_next = f"-- lint: allow index_not_concurrent: once\n{index}\n{index}"
    assert codes(only_the_next) == ["index_not_concurrent"]


def test_a_finding_names_file_line_statement_and_fix():
    text = "SELECT 1;\n\n-- why\nALTER TABLE app.message\n  ALTER body SET NOT NULL;\n"
    (found,) = lint([EXISTING, Revision("0002", [Source("0002_x.sql", text)])])
    assert found == Finding("0002", "0002_x.sql:4", "set_not_null", "ALTER TABLE app.message ALTER body SET NOT NULL")
    assert FIXES["set_not_null"] in str(found)


def test_schema_operations_and_statements_in_a_module_are_seen(tmp_path):
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "0002_more.py").write_text(
        'from alembic import op\nrevision = "0002"\n\n\ndef upgrade():\n'
        '    op.add_column("message", None)\n    op.execute("LOCK TABLE app.message")\n'
    )
    found = lint(read_revisions(tmp_path))
    assert [(each.place, each.code) for each in found] == [
        ("0002_more.py:6", "python_ddl"),
        ("0002_more.py:7", "rewrite"),
    ]


def test_the_files_of_a_revision_are_read_whole():
    """A splitter that swallowed a statement would let it pass: both must count the same tables."""
    first = read_revisions()[0]
    text = "\n".join(source.sql for source in first.sources)
    statements = [each for source in first.sources for each in split(source.sql)]
    assert text.count("\nCREATE TABLE ") == sum(each.text.startswith("CREATE TABLE") for each in statements) > 30
    assert all(each.text.split()[0].isupper() for each in statements)


def test_tables_called_small_exist():
    text = "\n".join(source.sql for revision in read_revisions() for source in revision.sources)
    unknown = {name for name in SMALL_TABLES if f"CREATE TABLE {name} " not in text}
    assert unknown == {"ops.alembic_version"}


def test_no_revision_locks_a_large_table():
    found = lint(read_revisions())
    assert found == [], "\n".join(map(str, found))
