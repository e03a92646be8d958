"""`zrg demo`: the platform, a sandbox of every vendor, and a day's story through the public doors."""

from zrg_dagster.local.demo.story import run

__all__ = ["run"]
