"""What the database itself allows, held against what it should allow (spec domain-analytics-ops §8.6).

Reads the catalogue only, so any role may ask. Each check is one statement that lists violations, none of them guesses:
the ceilings below are the whole truth about which role may do what where.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.rows import tuple_row

from zrg_dagster.core.db.roles import BY_KEY, LOGINS, OWNER

SCHEMAS = ("raw", "app", "secret", "authz", "ops", "facts", "marts")
_MIGRATOR, _MONITOR = BY_KEY["migrator"].role, BY_KEY["monitor"].role
_RECEIVER, _WORKER, _BUILD = BY_KEY["receiver"].role, BY_KEY["worker"].role, BY_KEY["build"].role
_ANALYST, _WEB = BY_KEY["analyst"].role, BY_KEY["web"].role

# (role, table pattern for LIKE, verbs). TRUNCATE, REFERENCES, TRIGGER and MAINTAIN are in no ceiling: row security does
# not apply to the first, and the others work around it.
CEILINGS = (
    *((login.role, "ops.alembic_version", ("SELECT",)) for login in LOGINS if login.role != _MIGRATOR),
    (_RECEIVER, "raw.route", ("SELECT",)),
    *((_WORKER, f"{schema}.%", ("SELECT", "INSERT", "UPDATE", "DELETE")) for schema in ("raw", "app", "secret", "ops")),
    *((_WORKER, f"{schema}.%", ("SELECT",)) for schema in ("facts", "marts")),
    *((_WORKER, f"{schema}.%", ("USAGE",)) for schema in ("app", "ops")),  # sequences
    (_BUILD, "app.%", ("SELECT",)),
    (_BUILD, "ops.fact_dirty_version", ("USAGE",)),
    (_BUILD, "ops.fact_dirty", ("SELECT", "INSERT", "UPDATE", "DELETE")),
    *((_BUILD, f"{schema}.%", ("SELECT", "INSERT", "UPDATE", "DELETE")) for schema in ("facts", "marts")),
    *((_ANALYST, f"{schema}.%", ("SELECT",)) for schema in ("facts", "marts")),
    (_WEB, "app.%", ("SELECT",)),
    (_WEB, "app.% (columns)", ("UPDATE",)),
)
# (role, function pattern for LIKE).
CALLABLE = (
    (_RECEIVER, "raw.accept_deliveries"),
    *((_WORKER, f"{schema}.%") for schema in ("raw", "app", "secret", "ops")),
    (_WEB, "authz.%"),
)
# (role, role it may be a member of).
MEMBERSHIPS = ((_MIGRATOR, OWNER), (_MONITOR, "pg_monitor"))


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that the database allows and should not."""

    code: str
    object: str  # what it concerns, and where it helps the role
    fix: str  # a statement for a migration, or one sentence


def violations(conn: psycopg.Connection[Any]) -> list[Violation]:
    """Every violation in this database, sorted by object; empty when all is well."""
    return sorted(_find(conn), key=lambda found: (found.object, found.code))


def _find(conn: psycopg.Connection[Any]) -> Iterator[Violation]:
    facts = {
        "schemas": list(SCHEMAS),
        "owner": OWNER,
        "web": _WEB,
        "ours": [OWNER, *(login.role for login in LOGINS)],
        "logins": [login.role for login in LOGINS],
        "ceiling_roles": [role for role, _, verbs in CEILINGS for _ in verbs],
        "ceiling_tables": [table for _, table, verbs in CEILINGS for _ in verbs],
        "ceiling_verbs": [verb for _, _, verbs in CEILINGS for verb in verbs],
        "callable_roles": [role for role, _ in CALLABLE],
        "callable_names": [name for _, name in CALLABLE],
        "member_roles": [role for role, _ in MEMBERSHIPS],
        "member_of": [of for _, of in MEMBERSHIPS],
    }
    with conn.cursor(row_factory=tuple_row) as cursor:
        for code, query in _CHECKS.items():
            cursor.execute(query, facts)
            for name, fix in cursor.fetchall():
                yield Violation(code, name, fix)


# Tables with the grants on them, whole or by column. `coalesce` matters: a NULL acl means the built-in default, which
# for functions, types and databases includes PUBLIC.
_RELATIONS: LiteralString = """
    WITH relation AS (
        SELECT c.oid, c.relkind, c.relacl, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
               format('%%I.%%I', n.nspname, c.relname) AS name, n.nspname || '.' || c.relname AS plain
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY (%(schemas)s)
    ), granted AS (
        SELECT r.oid, r.relkind, r.name, r.plain, '' AS columns, a.grantee, a.privilege_type AS verb
        FROM relation r CROSS JOIN LATERAL aclexplode(r.relacl) a WHERE a.grantee <> r.relowner
        UNION ALL
        SELECT r.oid, r.relkind, r.name, r.plain, format(' (%%I)', t.attname), a.grantee, a.privilege_type
        FROM relation r JOIN pg_catalog.pg_attribute t ON t.attrelid = r.oid
        CROSS JOIN LATERAL aclexplode(t.attacl) a WHERE a.grantee <> r.relowner
    )"""
_FUNCTIONS: LiteralString = """
    WITH function AS (
        SELECT p.oid, p.proacl, p.proowner, p.prosecdef, p.proconfig, n.nspname || '.' || p.proname AS plain,
               format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS name,
               acl.grantee
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        LEFT JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) acl ON acl.grantee <> p.proowner
        WHERE n.nspname = ANY (%(schemas)s)
    )"""

_CHECKS: dict[str, LiteralString] = {
    "row_security_off": _RELATIONS
    + """
    SELECT name, format('ALTER TABLE %%s ENABLE ROW LEVEL SECURITY', name)
    FROM relation WHERE relkind IN ('r', 'p') AND NOT relrowsecurity""",
    # Without FORCE the owner, and with it every definer function and migration, walks past the policies.
    "row_security_not_forced": _RELATIONS
    + """
    SELECT name, format('ALTER TABLE %%s FORCE ROW LEVEL SECURITY', name)
    FROM relation WHERE relkind IN ('r', 'p') AND NOT relforcerowsecurity""",
    "grant_without_policy": _RELATIONS
    + """
    SELECT DISTINCT format('%%s: %%s for %%s', name, verb, rolname),
           format('CREATE POLICY … ON %%s FOR %%s TO %%I, or REVOKE the right', name, verb, rolname)
    FROM granted g JOIN pg_catalog.pg_roles role ON role.oid = g.grantee
    WHERE relkind IN ('r', 'p') AND verb IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy p
                      WHERE p.polrelid = g.oid AND p.polpermissive AND g.grantee = ANY (p.polroles)
                        AND p.polcmd IN ('*', CASE verb WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a'
                                                        WHEN 'UPDATE' THEN 'w' ELSE 'd' END))""",
    "owner_without_policy": _RELATIONS
    + """
    SELECT name, format('CREATE POLICY owner_all ON %%s TO %%I USING (true) WITH CHECK (true)', name, %(owner)s::text)
    FROM relation r WHERE relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_roles o ON o.oid = ANY (p.polroles)
                      WHERE p.polrelid = r.oid AND o.rolname = %(owner)s AND p.polcmd = '*')""",
    "policy_for_public": """
    SELECT format('%%s: policy %%I', polrelid::regclass, polname),
           format('ALTER POLICY %%I ON %%s TO the roles that need it', polname, polrelid::regclass)
    FROM pg_catalog.pg_policy WHERE 0 = ANY (polroles)""",
    # The web role is the one whose rows differ by context; a policy of it that asks for none shows every workspace.
    "policy_without_context": """
    SELECT format('%%s: policy %%I', p.polrelid::regclass, p.polname),
           'compare with (SELECT authz.workspace_id()) and (SELECT authz.member_role())'
    FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_roles r ON r.oid = ANY (p.polroles)
    WHERE r.rolname = %(web)s AND p.polpermissive AND p.polrelid <> 'ops.alembic_version'::regclass
      AND EXISTS (SELECT FROM (VALUES (pg_get_expr(p.polqual, p.polrelid)),
                                      (pg_get_expr(p.polwithcheck, p.polrelid))) AS e (expression)
                  WHERE expression IS NOT NULL AND expression NOT LIKE '%%authz.%%')""",
    "right_beyond_ceiling": _RELATIONS
    + """
    SELECT format('%%s%%s: %%s for %%s', name, columns, verb, rolname),
           format('REVOKE %%s%%s ON %%s FROM %%I', verb, columns, name, rolname)
    FROM granted g JOIN pg_catalog.pg_roles role ON role.oid = g.grantee
    WHERE NOT EXISTS (
        SELECT FROM unnest(%(ceiling_roles)s::text[], %(ceiling_tables)s::text[], %(ceiling_verbs)s::text[])
            AS c (role_name, pattern, verb_name)
        WHERE c.role_name = rolname AND c.verb_name = verb
          AND (plain LIKE c.pattern OR columns <> '' AND plain || ' (columns)' LIKE c.pattern))""",
    # The policies bind where a row lies before and after an update; this binds that it stays the same row.
    "key_column_update": _RELATIONS
    + """
    SELECT format('%%s%%s: %%s', name, columns, rolname),
           format('REVOKE UPDATE%%s ON %%s FROM %%I', columns, name, rolname)
    FROM granted g JOIN pg_catalog.pg_roles role ON role.oid = g.grantee
    WHERE verb = 'UPDATE' AND columns <> '' AND rolname = %(web)s
      AND EXISTS (SELECT FROM pg_catalog.pg_attribute t WHERE t.attrelid = g.oid AND columns = format(' (%%I)', t.attname)
                  AND (t.attname IN ('workspace_id', 'lead_id')
                       OR EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = g.oid AND i.indisprimary
                                  AND t.attnum = ANY (i.indkey))))""",
    "public_relation": _RELATIONS
    + """
    SELECT format('%%s%%s: %%s', name, columns, verb), format('REVOKE %%s%%s ON %%s FROM PUBLIC', verb, columns, name)
    FROM granted WHERE grantee = 0""",
    # Row security cannot stand on these, so nobody but the owner may read them.
    "unprotected_relation": _RELATIONS
    + """
    SELECT DISTINCT format('%%s: %%s', name, coalesce(rolname, 'PUBLIC')),
           'make it a table with policies, or a view WITH (security_invoker = true)'
    FROM granted LEFT JOIN pg_catalog.pg_roles role ON role.oid = grantee WHERE relkind IN ('m', 'f')""",
    "view_without_security_invoker": _RELATIONS
    + """
    SELECT name, format('ALTER VIEW %%s SET (security_invoker = true)', name)
    FROM relation WHERE relkind = 'v'
      AND NOT EXISTS (SELECT FROM pg_options_to_table(reloptions) o
                      WHERE o.option_name = 'security_invoker' AND o.option_value IN ('true', 'on', '1', 'yes'))""",
    "foreign_owner": _RELATIONS
    + """
    SELECT name, format('ALTER TABLE %%s OWNER TO %%I', name, %(owner)s::text)
    FROM relation JOIN pg_catalog.pg_roles role ON role.oid = relowner
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND rolname <> %(owner)s""",
    "public_function": _FUNCTIONS
    + """
    SELECT name, format('REVOKE ALL ON FUNCTION %%s FROM PUBLIC', name) FROM function WHERE grantee = 0""",
    "call_beyond_ceiling": _FUNCTIONS
    + """
    SELECT format('%%s: %%s', name, rolname), format('REVOKE ALL ON FUNCTION %%s FROM %%I', name, rolname)
    FROM function JOIN pg_catalog.pg_roles role ON role.oid = grantee
    WHERE NOT EXISTS (SELECT FROM unnest(%(callable_roles)s::text[], %(callable_names)s::text[]) AS c (role_name, pattern)
                      WHERE c.role_name = rolname AND plain LIKE c.pattern)""",
    # Without pg_temp at the end a caller's temporary table stands in for the real one.
    "definer_search_path": _FUNCTIONS
    + """
    SELECT DISTINCT name, format('ALTER FUNCTION %%s SET search_path = pg_catalog, pg_temp', name)
    FROM function WHERE prosecdef AND NOT EXISTS (
        SELECT FROM unnest(proconfig) AS setting
        WHERE setting LIKE 'search\\_path=%%' AND setting ~ '(=|, *)pg_temp$' AND setting !~ '("\\$user"|public)')""",
    "public_schema_right": """
    SELECT format('schema %%I: %%s', nspname, privilege_type),
           format('REVOKE %%s ON SCHEMA %%I FROM PUBLIC', privilege_type, nspname)
    FROM pg_catalog.pg_namespace, aclexplode(nspacl) a
    WHERE a.grantee = 0 AND (nspname = ANY (%(schemas)s) OR nspname = 'public')""",
    "may_create": """
    SELECT format('schema %%I: %%s', nspname, rolname), format('REVOKE CREATE ON SCHEMA %%I FROM %%I', nspname, rolname)
    FROM pg_catalog.pg_namespace n, aclexplode(n.nspacl) a JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE nspname = ANY (%(schemas)s) AND a.privilege_type = 'CREATE' AND rolname <> %(owner)s""",
    "public_database_right": """
    SELECT format('database %%I: %%s', datname, privilege_type),
           format('REVOKE %%s ON DATABASE %%I FROM PUBLIC', privilege_type, datname)
    FROM pg_catalog.pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) a
    WHERE datname = current_database() AND a.grantee = 0""",
    "public_type": """
    SELECT t.oid::regtype::text, format('REVOKE ALL ON TYPE %%s FROM PUBLIC', t.oid::regtype)
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace,
         aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a
    WHERE n.nspname = ANY (%(schemas)s) AND a.grantee = 0 AND t.typtype IN ('d', 'e', 'r', 'c')
      AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))""",
    # Functions and types that a later migration makes are open to PUBLIC unless the owner's defaults say otherwise.
    "default_privilege": """
    SELECT format('default privileges of %%I for %%s: PUBLIC', r.rolname,
                  CASE d.defaclnamespace WHEN 0 THEN 'all schemas' ELSE d.defaclnamespace::regnamespace::text END),
           'ALTER DEFAULT PRIVILEGES … REVOKE … FROM PUBLIC'
    FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_roles r ON r.oid = d.defaclrole, aclexplode(d.defaclacl) a
    WHERE a.grantee = 0
    UNION ALL
    SELECT format('default privileges of %%I: PUBLIC may use new %%s', %(owner)s::text, kind.word),
           format('ALTER DEFAULT PRIVILEGES FOR ROLE %%I REVOKE ALL ON %%s FROM PUBLIC', %(owner)s::text, upper(kind.word))
    FROM (VALUES ('f', 'functions'), ('T', 'types')) AS kind (letter, word)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_roles r ON r.oid = d.defaclrole
                      WHERE r.rolname = %(owner)s AND d.defaclnamespace = 0 AND d.defaclobjtype = kind.letter::"char")""",
    "dangerous_role": """
    SELECT format('role %%I: %%s', rolname, attribute), format('ALTER ROLE %%I NO%%s', rolname, attribute)
    FROM pg_catalog.pg_roles, LATERAL (VALUES
        ('SUPERUSER', rolsuper), ('BYPASSRLS', rolbypassrls), ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb),
        ('REPLICATION', rolreplication), ('LOGIN', rolcanlogin AND rolname = %(owner)s)) AS a (attribute, has)
    WHERE rolname = ANY (%(ours)s) AND has""",
    "membership": """
    SELECT format('role %%I: member of %%I', m.rolname, g.rolname), format('REVOKE %%I FROM %%I', g.rolname, m.rolname)
    FROM pg_catalog.pg_auth_members a JOIN pg_catalog.pg_roles m ON m.oid = a.member
        JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
    WHERE m.rolname = ANY (%(ours)s)
      AND (m.rolname, g.rolname) NOT IN (SELECT * FROM unnest(%(member_roles)s::text[], %(member_of)s::text[]))""",
    # INHERIT would give the migrator's every statement the owner's rights, also those outside a migration.
    "owner_inherited": """
    SELECT format('role %%I: inherits %%I', m.rolname, %(owner)s::text),
           format('GRANT %%I TO %%I WITH INHERIT FALSE', %(owner)s::text, m.rolname)
    FROM pg_catalog.pg_auth_members a JOIN pg_catalog.pg_roles m ON m.oid = a.member
        JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
    WHERE g.rolname = %(owner)s AND m.rolname = ANY (%(logins)s) AND a.inherit_option""",
}
