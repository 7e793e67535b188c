"""Processes: who descends from whom, and how to end all of them."""

import ctypes
import os
import signal
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option, value):
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl({option}): {os.strerror(error)}")


def become_subreaper():
    """Orphans among our descendants become our own children instead of init's."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(sig=signal.SIGKILL):
    """The kernel sends us SIG when the parent's thread that forked us ends. Lost by a change of user."""
    _prctl(PR_SET_PDEATHSIG, sig)


def start_time(pid):
    """The clock tick at which PID started, or None: with the pid it names one process for ever."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def _parents():
    parents = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(entry)] = int(fields[1])
    return parents


def descendants(root):
    """The living descendants of ROOT, nearest first, without ROOT."""
    children = {}
    for pid, parent in _parents().items():
        children.setdefault(parent, []).append(pid)
    found, queue = [], [root]
    while queue:
        for pid in children.get(queue.pop(0), []):
            found.append(pid)
            queue.append(pid)
    return found


def _signal(pids, sig):
    for pid in pids:
        try:
            os.kill(pid, sig)
        except (ProcessLookupError, PermissionError):
            continue


def _reap(keep):
    """Collect our dead children but KEEP, whose status somebody else wants."""
    for pid in _zombies():
        if pid not in keep:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue


def _zombies():
    me = os.getpid()
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] == "Z" and int(fields[1]) == me:
                found.append(int(entry))
    return found


def end_descendants(grace=1.5, keep=()):
    """End every descendant of this process: asked first, killed after GRACE seconds. Returns those that stayed."""
    deadline = time.monotonic() + grace
    asked = set()
    while time.monotonic() < deadline:
        living = descendants(os.getpid())
        if not living:
            break
        _signal([pid for pid in living if pid not in asked], signal.SIGTERM)
        asked.update(living)
        _reap(keep)
        time.sleep(0.01)
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        living = descendants(os.getpid())
        if not living:
            break
        _signal(living, signal.SIGKILL)
        _reap(keep)
        time.sleep(0.01)
    _reap(keep)
    return descendants(os.getpid())
