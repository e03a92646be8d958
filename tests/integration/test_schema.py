"""The schema as a whole: what must hold of every table, whatever is added later."""

import psycopg


def test_every_table_has_forced_row_security_and_an_owner_policy(database):
    with psycopg.connect(database.dsn("migrator")) as conn:
        naked = conn.execute("""
            SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('raw', 'app', 'secret', 'ops', 'facts', 'marts') AND c.relkind IN ('r', 'p')
              AND (NOT c.relrowsecurity OR NOT c.relforcerowsecurity
                   OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'owner_all'))
        """).fetchall()
    assert naked == []


def test_public_may_do_nothing(database):
    with psycopg.connect(database.dsn("migrator")) as conn:
        granted = conn.execute("""
            SELECT n.nspname, c.relname, a.privilege_type
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
            WHERE a.grantee = 0 AND n.nspname IN ('raw', 'app', 'secret', 'ops', 'facts', 'marts', 'authz')
            UNION ALL
            SELECT n.nspname, p.proname, 'EXECUTE'
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname IN ('raw', 'app', 'secret', 'ops', 'facts', 'marts', 'authz')
              AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0))
        """).fetchall()
    assert granted == []


def test_foreign_keys_between_business_rows_carry_the_workspace(database):
    """A reference without workspace_id could point into another workspace."""
    with psycopg.connect(database.dsn("migrator")) as conn:
        loose = conn.execute("""
            SELECT con.conrelid::regclass::text, con.confrelid::regclass::text FROM pg_constraint con
            WHERE con.contype = 'f'
              AND con.confrelid::regclass::text NOT IN ('app.workspace', 'app."user"', 'raw.webhook_body')
              AND NOT EXISTS (
                SELECT FROM unnest(con.conkey) k JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k
                WHERE a.attname = 'workspace_id')
        """).fetchall()
    # A kill switch of campaign scope names its campaign alone; an attempt belongs to its job and dies with it.
    assert sorted(loose) == [("app.job_attempt", "app.job"), ("app.kill_switch", "app.email_campaign")]
