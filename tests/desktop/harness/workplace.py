"""The folders that the command works in, made usable for the unprivileged user, and handed back afterwards."""

import os
import shutil

from . import privileges


class Workplace:
    """The repository, the caller's folder and the folder for results.

    Where the unprivileged user cannot reach them, they are made visible to it under their own names in a mount
    namespace; where the machine allows none (in most containers), it works in a copy of the repository.
    """

    def __init__(self, repository, out, scratch):
        self.repository = os.path.realpath(repository)
        self.cwd = os.getcwd()
        self.out = os.path.realpath(out) if out else None
        self._scratch = scratch
        self._copy = None
        self._owner = None
        self._uid, self._gid = privileges.unprivileged_user()

    def prepare(self):
        """Make the folders usable; raises privileges.Unreachable if that cannot be done."""
        if self.out:
            os.makedirs(self.out, exist_ok=True)
        if self._uid == os.getuid():
            return
        if self.out:
            info = os.stat(self.out)
            self._owner = (info.st_uid, info.st_gid)
            privileges.own_tree(self.out, self._uid, self._gid)
        needed = [self.repository, os.path.realpath(self.cwd)] + ([self.out] if self.out else [])
        try:
            privileges.open_the_way(needed, self._uid, self._gid, self._scratch)
        except privileges.Unreachable:
            if not all(privileges.within(path, self.repository) for path in needed):
                raise
            self._work_in_a_copy()

    def _work_in_a_copy(self):
        self._copy = os.path.join(self._scratch, "copy")
        shutil.copytree(self.repository, self._copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        privileges.own_tree(self._copy, self._uid, self._gid)
        os.chdir(self.inside(os.path.realpath(self.cwd)))

    def inside(self, path):
        """Where PATH of the repository is for the command; any other text stays as it is."""
        if self._copy and privileges.within(path, self.repository):
            return self._copy + path[len(self.repository):]
        return path

    def restore(self):
        """Hand the results back to the caller, under the caller's name."""
        if not self._owner:
            return
        if self._copy:
            shutil.copytree(self.inside(self.out), self.out, symlinks=True, dirs_exist_ok=True)
        privileges.own_tree(self.out, *self._owner)
