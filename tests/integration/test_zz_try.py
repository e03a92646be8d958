import psycopg
from tests.integration.tenancy_world import World
def test_it(database):
    with psycopg.connect(database.dsn("bootstrap")) as c:
        w=World(c)
        for k,v in w.rows.items(): print(k,len(v))
        assert 0
