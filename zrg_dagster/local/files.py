"""Folders and files that nobody else may read, made without following what somebody else prepared."""

import os
import secrets
import stat
from pathlib import Path

from zrg_dagster.local.process import User


class FolderError(OSError):
    """A folder belongs to another user or is a link."""


def private_folder(path: Path, owner: User | None = None, mode: int | None = 0o700) -> None:
    """Make `path` a real folder of ours (or of `owner`) with `mode` (None: leave an existing folder's mode).

    Refuses one that somebody else prepared: in /tmp anybody can take a predictable name first.
    """
    path.mkdir(mode=mode or 0o755, parents=True, exist_ok=True)
    if owner and path.lstat().st_uid == os.geteuid():
        os.chown(path, owner.uid, owner.gid, follow_symlinks=False)
    if mode is None:
        return
    found = path.lstat()
    wanted = owner.uid if owner else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != wanted:
        raise FolderError(1, f"not a folder of user id {wanted}", str(path))
    if stat.S_IMODE(found.st_mode) != mode:
        path.chmod(mode)


def write_private(path: Path, text: str, *, mode: int = 0o600, owner: User | None = None) -> None:
    """Replace a small file atomically; a link planted at its place is replaced, never followed."""
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        if owner:
            os.fchown(file.fileno(), owner.uid, owner.gid)
        os.fchmod(file.fileno(), mode)
    scratch.replace(path)
