"""with-desktop's own process: reads the command line, starts the session as an unprivileged user, and clears up.

It is the net under the session. Whatever the session leaves, living processes included, ends here; and if this
process is killed, the session, which is told so by the kernel, clears up in its stead.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from . import privileges, processes, workplace
from .shells import KINDS

FAILED = 125
# The X server makes this folder for its sockets where it is missing, and leaves it.
X11_FOLDER = "/tmp/.X11-unix"
HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
START_SESSION = ("import sys; sys.path.insert(0, sys.argv[1]); from harness import session; "
                 "sys.exit(session.main(sys.argv[2]))")

EPILOG = """
CMD runs as an unprivileged user (nobody, when started by root) in the current folder, with its own HOME,
session bus and XDG_RUNTIME_DIR, and:
  PORTLIGHT_TMP      a folder that it may write to, removed at the end
  PORTLIGHT_OUT      the folder given with --out
  PORTLIGHT_DESKTOP  the socket that tests/desktop/desktop-ctl talks to

The exit status is CMD's, 128+N if signal N ended it, 125 if the desktop could not be started,
127 if there is no such command.

examples:
  with-desktop --consent screen build/bin/portlight record share.webm --duration 5
  with-desktop --shell gnome --consent window --apps marker,terminal bash
"""


def _size(text):
    match = re.fullmatch(r"(\d{3,5})x(\d{3,5})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write it as 1920x1080")
    return [int(match[1]), int(match[2])]


def _apps(text):
    names = [name for name in text.split(",") if name and name != "none"]
    for name in names:
        if name not in ("marker", "terminal"):
            raise argparse.ArgumentTypeError(f"no application {name!r}; there are marker, terminal and none")
    return names


def _rate(text):
    if not re.fullmatch(r"[1-9]\d?", text):
        raise argparse.ArgumentTypeError("from 1 to 99 drawings a second")
    return int(text)


def _monitors(text):
    if text not in ("1", "2", "3", "4"):
        raise argparse.ArgumentTypeError("from 1 to 4 monitors")
    return int(text)


def arguments(argv):
    """The command line as a namespace; ends the program with a message if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="with-desktop", description="Run CMD inside a fresh embedded desktop; leave nothing behind.",
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shell", choices=KINDS, default="mutter", help="; ".join(
        f"{name}: {kind.hint}" for name, kind in KINDS.items()) + " (mutter)")
    parser.add_argument("--size", type=_size, default=[1920, 1080], metavar="WxH",
                        help="size of each monitor (1920x1080)")
    parser.add_argument("--monitors", type=_monitors, default=1, metavar="N", help="how many monitors, 1 to 4 (1)")
    parser.add_argument("--consent", choices=("screen", "window", "deny", "ignore"),
                        help="how share dialogs are answered: share the first monitor (default; kwin: cancel), share "
                             "the marker's window (gnome only), cancel, or leave them alone")
    parser.add_argument("--apps", type=_apps, default=["marker"], metavar="LIST",
                        help="applications on the desktop: marker, terminal, or none (marker)")
    parser.add_argument("--rate", type=_rate, default=30, metavar="HZ", help="drawings a second of the marker (30)")
    parser.add_argument("--out", metavar="DIR", help="a folder that CMD may write to; its owner is restored afterwards")
    parser.add_argument("--verbose", action="store_true", help="say on stderr what is started and answered, and when")
    parser.add_argument("--keep-logs", metavar="DIR", help="copy the log of every part to DIR at the end")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="CMD …", help="the command and its arguments")
    options = parser.parse_args(argv)
    if options.command[:1] == ["--"]:
        del options.command[0]
    if not options.command:
        parser.error("no command given; for a look around: with-desktop bash")
    kind = KINDS[options.shell]
    options.consent = options.consent or kind.consents[0]
    if options.consent not in kind.consents:
        parser.error(f"--shell {options.shell} knows --consent {', '.join(kind.consents)}; window needs --shell gnome")
    if options.monitors > kind.monitors:
        parser.error(f"--shell {options.shell} has one monitor")
    return options


class Supervisor:
    """One run, from the private folder to its removal."""

    def __init__(self, options):
        self.options = options
        self.uid, self.gid = privileges.unprivileged_user()
        self.folder = None
        self.child = None
        self.place = None
        self.signals = 0
        self.had_x11_folder = os.path.isdir(X11_FOLDER)

    def run(self):
        """Everything; returns the exit status."""
        processes.become_subreaper()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._pass_on)
        try:
            self._prepare()
            return self._session()
        except (privileges.Unreachable, OSError) as error:
            print(f"with-desktop: {error}", file=sys.stderr)
            return FAILED
        finally:
            self._clear_up()

    def _pass_on(self, number, _frame):
        self.signals += 1
        if self.child and self.child.poll() is None:
            self.child.send_signal(number if self.signals == 1 else signal.SIGKILL)

    def _prepare(self):
        self.folder = tempfile.mkdtemp(prefix="portlight-desktop-", dir="/tmp")
        if self.uid != os.getuid():
            os.chown(self.folder, self.uid, self.gid)
        self.place = workplace.Workplace(os.path.join(HERE, "../.."), self.options.out, self.folder)
        self.place.prepare()

    def _session(self):
        config = vars(self.options) | {"folder": self.folder, "supervisor": os.getpid()}
        config["command"] = [self.place.inside(word) for word in self.options.command]
        config["out"] = self.place.inside(self.place.out or "") or None
        del config["keep_logs"]

        def become_the_session():
            privileges.drop_to(self.uid, self.gid)
            processes.die_with_parent(signal.SIGTERM)

        self.child = subprocess.Popen([sys.executable, "-B", "-c", START_SESSION, self.place.inside(HERE),
                                       json.dumps(config)],
                                      preexec_fn=become_the_session)
        if self.signals:
            self.child.terminate()
        status = self.child.wait()
        return status if status >= 0 else 128 - status

    def _clear_up(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for pid in processes.end_descendants():
            print(f"with-desktop: process {pid} would not end", file=sys.stderr)
        if self.place:
            self.place.restore()
        if self.folder:
            if self.options.keep_logs:
                self._keep_logs()
            shutil.rmtree(self.folder, ignore_errors=True)
            if os.path.exists(self.folder):
                print(f"with-desktop: could not remove all of {self.folder}", file=sys.stderr)
        if self.options.shell == "xvfb" and not self.had_x11_folder:
            with contextlib.suppress(OSError):  # Another display may be using it by now.
                os.rmdir(X11_FOLDER)

    def _keep_logs(self):
        logs = os.path.join(self.folder, "logs")
        if os.path.isdir(logs):
            shutil.copytree(logs, self.options.keep_logs, dirs_exist_ok=True)


def main():
    """The program's entry."""
    return Supervisor(arguments(sys.argv[1:])).run()
