"""Leaving root: the unprivileged user, and the folders that it must be able to reach."""

import ctypes
import os
import pwd
import stat

CLONE_NEWNS = 0x00020000
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)


class Unreachable(Exception):
    """A folder that the unprivileged user needs and cannot be given; the text says what to do."""


def unprivileged_user():
    """(uid, gid) for everything in the desktop: our own, or nobody's when we are root."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def drop_to(uid, gid):
    """Become UID for good. Call between fork and exec."""
    if os.getuid() == uid:
        return
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def _may_enter(path, uid, gid):
    info = os.stat(path)
    if info.st_uid == uid:
        return bool(info.st_mode & stat.S_IXUSR)
    if info.st_gid == gid:
        return bool(info.st_mode & stat.S_IXGRP)
    return bool(info.st_mode & stat.S_IXOTH)


def first_closed(path, uid, gid):
    """The outermost folder on the way to PATH, PATH included, that UID may not enter; None if there is none."""
    so_far = "/"
    for name in [""] + path.strip("/").split("/"):
        so_far = os.path.join(so_far, name)
        if not _may_enter(so_far, uid, gid):
            return so_far.rstrip("/") or "/"
    return None


def _mount(source, target, kind, flags, options=None):
    result = _libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags,
                         options and options.encode())
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"mount {source} on {target}: {os.strerror(error)}")


def within(path, folder):
    """Whether PATH is FOLDER or in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _outermost(paths):
    return [p for p in sorted(set(paths)) if not any(q != p and within(p, q) for q in paths)]


def open_the_way(paths, uid, gid, scratch):
    """Let UID reach PATHS (real paths of folders) under their own names, though a folder above is closed to it.

    The closed folder is covered, in a mount namespace of this process and its children, by an empty one in
    which only PATHS are seen again. Nothing changes for other processes, and the mounts end with the last
    process in the namespace. SCRATCH is an existing private folder.
    """
    closed = {}
    for path in _outermost(paths):
        at = first_closed(path, uid, gid)
        if at == path:
            raise Unreachable(f"{path} cannot be entered by the unprivileged user that the desktop runs as. "
                              "Remedy: start it in another folder, for example the repository's, or give the "
                              "folder to everyone to read")
        if at:
            closed.setdefault(at, []).append(path)
    if not closed:
        return
    if _libc.unshare(CLONE_NEWNS) != 0:
        error = os.strerror(ctypes.get_errno())
        raise Unreachable(f"An unprivileged user cannot enter {', '.join(closed)}, and this machine refuses "
                          f"a mount namespace ({error}). Remedy: move the work to a folder that everyone may "
                          "enter, for example below /srv, or run as an ordinary user.")
    here = os.getcwd()
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    for at, needed in closed.items():
        kept = []
        for number, path in enumerate(needed):
            aside = os.path.join(scratch, f"aside-{number}")
            os.makedirs(aside, exist_ok=True)
            _mount(path, aside, None, MS_BIND | MS_REC)
            kept.append((aside, path))
        _mount("tmpfs", at, "tmpfs", 0, "mode=0755,size=1m")
        for aside, path in kept:
            os.makedirs(path, mode=0o755, exist_ok=True)
            _mount(aside, path, None, MS_BIND | MS_REC)
            _libc.umount2(aside.encode(), 2)
            os.rmdir(aside)
    os.chdir(here)


def own_tree(path, uid, gid):
    """Give PATH and all in it to UID, never following a link out of it."""
    os.chown(path, uid, gid, follow_symlinks=False)
    for folder, folders, files in os.walk(path, followlinks=False):
        for name in folders + files:
            os.chown(os.path.join(folder, name), uid, gid, follow_symlinks=False)
