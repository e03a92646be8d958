import time
from datetime import timedelta
from tests.integration import intake_support as world
from tests.integration.intake_support import Rows, accept, drain
from tests.integration.seeds import NOW
async def test_speed(database):
    rows=Rows(database); ws=rows.workspace()
    for kind in ("sent","sent again","replied"):
        batch=[]
        for n in range(4000):
            lead=world.person(f"p{n}", n)
            if kind=="replied": batch.append(world.replied(ws, n, lead=lead, sender=lead["email"]))
            else: batch.append(world.sent_step(ws, n+(0 if kind=="sent" else 100000), at=NOW-timedelta(days=1), lead=lead))
        for i in range(0,4000,500): accept(database,batch[i:i+500])
        t=time.perf_counter(); r=await drain(database); d=time.perf_counter()-t
        print(kind, r.claimed, f"{4000/d:.0f}/s", dict(r.outcomes), f"p95 {r.p95_ms:.0f} ms per batch")
