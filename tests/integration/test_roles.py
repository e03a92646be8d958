import psycopg
import pytest

from zrg_dagster.core.db import migrate, roles


def test_database_fixture_is_migrated_and_isolated(database):
    with psycopg.connect(database.dsn("worker")) as connection:
        assert connection.execute("select current_user, current_database()").fetchone() == ("zrg_worker", database.name)
        migrate.check_schema(connection)


@pytest.mark.parametrize("key", [login.key for login in roles.LOGINS])
def test_every_login_is_ordinary_and_connects_with_its_password_only(database, key):
    with psycopg.connect(database.dsn(key)) as connection:
        row = connection.execute(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit"
            " from pg_roles where rolname = current_user"
        ).fetchone()
    assert row == (False, False, False, False, False)
    user = roles.BY_KEY[key].role
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.dsn(key), password="wrong", user=user)
