"""Loading the code location against a bare `import dagster`: wall and CPU seconds in fresh interpreters.

    python -m benchmarks.import [--rounds N]

The ratio is what our own imports add to Dagster's. Both interpreters start with warm file caches, alternating.
"""

import argparse
import resource
import subprocess
import sys
import time

from benchmarks.common import interleave, median, note, report

DAGSTER = "import dagster"
DEFINITIONS = "import zrg_dagster.definitions as d; d.defs.get_repository_def()"
MUST_NOT_LOAD = ("openai", "httpx", "pandas", "numpy", "sqlalchemy", "structlog", "cryptography")


def _measure(code: str, cpu: list[float]) -> float:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return wall


def main() -> int:
    parser = argparse.ArgumentParser(description="Loading the code location against bare Dagster.")
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    loaded = f"{DEFINITIONS}; import sys; print([m for m in {MUST_NOT_LOAD!r} if m in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True).stdout.strip()
    if seen != "[]":
        raise SystemExit(f"loading the definitions loads {seen}: nothing to measure")
    cpu: dict[str, list[float]] = {"definitions": [], "dagster": []}
    samples = interleave(
        {
            "definitions": lambda: _measure(DEFINITIONS, cpu["definitions"]),
            "dagster": lambda: _measure(DAGSTER, cpu["dagster"]),
        },
        rounds,
    )
    for name, values in samples.items():
        note("import", f"{name}: wall {[round(value, 2) for value in values]}, cpu {[round(v, 2) for v in cpu[name]]}")
    report(
        "import",
        defs_s=median(samples["definitions"]),
        dagster_s=median(samples["dagster"]),
        ratio=median(samples["definitions"]) / median(samples["dagster"]),
        defs_cpu_s=median(cpu["definitions"]),
        dagster_cpu_s=median(cpu["dagster"]),
        cpu_ratio=median(cpu["definitions"]) / median(cpu["dagster"]),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
