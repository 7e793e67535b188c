"""The session: everything inside the private folder, run as the unprivileged user by the supervisor.

One GLib main loop on the main thread starts the parts, watches them, and waits for CMD. Whatever has to wait for an
answer (a click, a screenshot) runs on a thread of its own.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import types

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from . import control, parts, processes, shells  # noqa: E402
from .shells.base import HERE, Refused  # noqa: E402

FAILED = 125
START_LIMIT = 60
CMD_GRACE = 3
# A terminal learns its real size when its window is about to be shown.
SCROLL = """while [ "$(stty size)" = "24 80" ]; do sleep 0.01; done; : > "$0"; i=0
while :; do i=$((i+1)); echo "$i  $(date +%T.%N)  scrolling text"; sleep 0.2; done"""


class StartFailed(Exception):
    """The desktop could not be started; the text says which part and why."""


class Interrupted(Exception):
    """A signal asked for the end before CMD was started."""


class Session:
    """One desktop and the command inside it."""

    def __init__(self, config):
        self.config = config
        self.folder = config.folder
        self.env = parts.environment(self.folder, config.out)
        self.parts = {}
        self.ended = {}
        self.deaths = []
        self.meant_to_end = set()
        self.command = None
        self.command_status = None
        self.signal = None
        self.killed = False
        self.bus = None
        self.shell = shells.start_of(self)
        self.env |= self.shell.environment(os.path.join(self.folder, "run"))
        self.started = time.monotonic()

    def say(self, text):
        """A line for --verbose."""
        if self.config.verbose:
            print(f"with-desktop: {time.monotonic() - self.started:6.2f} s  {text}", file=sys.stderr, flush=True)

    # Waiting

    def wait(self, ready, what, limit=START_LIMIT):
        """Run the main loop until READY(), which is asked every few milliseconds, but for a fifth of the time at most.

        Who is asked has to get on with its start: GNOME Shell finishes it only once nothing else wants its main loop.
        """
        context = GLib.MainContext.default()
        deadline = time.monotonic() + limit
        ticker = GLib.timeout_add(5, lambda: True)
        try:
            ask_again = 0
            while True:
                began = time.monotonic()
                if began >= ask_again:
                    if ready():
                        return
                    ask_again = began + 5 * (time.monotonic() - began)
                if self.signal:
                    raise Interrupted
                if began > deadline:
                    raise StartFailed(f"waited {limit} s for {what}")
                context.iteration(True)
        finally:
            GLib.source_remove(ticker)

    def wait_for_part(self, name, ready, what):
        """As wait(), but the end of part NAME is an error at once."""
        def ready_or_dead():
            if name in self.ended:
                raise StartFailed(f"{name} ended with status {self.ended[name]} before there was {what}")
            return ready()
        self.wait(ready_or_dead, what)

    def wait_for_name(self, part, name, bus=None):
        """Wait until NAME has an owner on the bus."""
        seen = []
        watch = Gio.bus_watch_name_on_connection(bus or self.bus, name, Gio.BusNameWatcherFlags.NONE,
                                                 lambda *_: seen.append(True), None)
        try:
            self.wait_for_part(part, lambda: seen, f"the bus name {name}")
        finally:
            Gio.bus_unwatch_name(watch)

    def wait_for_socket(self, part, path):
        """Wait until something listens on the socket PATH."""
        def answers():
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(path)
                return True
            except OSError:
                return False
        self.wait_for_part(part, answers, f"the socket {path}")

    # Parts

    def start(self, name, command, package, env=None, pass_fds=(), stdin=subprocess.DEVNULL, stdout=None):
        """Start a part of the desktop, which dies with us; its output goes to logs/NAME.log."""
        if not shutil.which(command[0]):
            raise parts.Missing(f"{command[0]} is not installed. Remedy: apt-get install {package}")

        def settle():
            os.setsid()
            processes.die_with_parent()

        with open(self.log_path(name), "ab") as log:
            child = subprocess.Popen(command, env=self.env | (env or {}), stdin=stdin, cwd=self.folder,
                                     stdout=stdout or log, stderr=log, preexec_fn=settle, pass_fds=pass_fds)
        self.parts[name] = child
        self.ended.pop(name, None)
        GLib.child_watch_add(GLib.PRIORITY_HIGH, child.pid, self._part_ended, name)
        return child

    def log_path(self, name):
        """Where the output of part NAME goes."""
        return os.path.join(self.folder, "logs", name + ".log")

    def _part_ended(self, pid, status, name):
        child = self.parts[name]
        if child.pid != pid:
            return
        child.returncode = os.waitstatus_to_exitcode(status)
        self.ended[name] = child.returncode
        meant = child.pid in self.meant_to_end
        if self.command and self.command_status is None and not meant:
            self.deaths.append(name)
            print(f"with-desktop: {name} ended (status {child.returncode}) while the command runs", file=sys.stderr)
        self.shell.part_ended(name, meant)

    def end_part(self, name, number):
        """Send a running part a signal, and do not report its end as a surprise."""
        self.meant_to_end.add(self.parts[name].pid)
        os.kill(self.parts[name].pid, number)

    def forgive(self, name):
        """The death of part NAME was to be expected."""
        self.deaths = [other for other in self.deaths if other != name]

    # The desktop

    def start_desktop(self):
        """Start all parts in order, each when what it needs is ready."""
        for name in ("logs", "home", "run", "tmp"):
            os.makedirs(os.path.join(self.folder, name), mode=0o700, exist_ok=True)
        path, address = parts.bus_config(self.folder, "bus")
        self.start("bus", ["dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", "--config-file=" + path],
                   "dbus-daemon")
        parts.wireplumber_config(self.env["HOME"])
        self.wait_for_socket("bus", os.path.join(self.folder, "run/bus"))
        self.bus = parts.connect(address)
        self.bus.set_exit_on_close(False)
        self.shell.start()
        control.Control(self).serve(self.env["PORTLIGHT_DESKTOP"])
        self.shell.start_applications()

    def start_pipewire(self):
        """PipeWire and its session manager."""
        self.start("pipewire", ["pipewire"], "pipewire")
        self.wait_for_socket("pipewire", os.path.join(self.folder, "run/pipewire-0"))
        self.start("wireplumber", ["wireplumber"], "wireplumber")

    def on_main(self, action):
        """Run ACTION on the main thread, where parts are started, and return its value."""
        done, result = threading.Event(), []

        def run():
            try:
                result.append((action(), None))
            except (StartFailed, parts.Missing, GLib.Error) as error:
                result.append((None, error))
            done.set()
            return False

        GLib.idle_add(run)
        done.wait()
        value, error = result[0]
        if error:
            raise Refused(str(error))
        return value

    def start_marker(self, title="Portlight marker", at_start=False):
        """Start a marker and wait until it has drawn."""
        command = [os.path.join(HERE, "marker"), "--title", title, "--rate", str(self.config.rate)]
        command += self.shell.marker_options(at_start)
        name = self._free_name("marker")
        child = self.start(name, command, "gir1.2-gtk-3.0", stdout=subprocess.PIPE)
        os.set_blocking(child.stdout.fileno(), False)
        self.wait_for_part(name, child.stdout.read, "a first drawing")
        if name == "marker":
            self.wait_for_part(name, lambda: self.shell.marker_is_placed(title), "its window in the corner")
        self.say(f"the {name} is drawn")
        return name

    def _free_name(self, name):
        taken = [other for other in self.parts if other not in self.ended]
        return next(n for n in (name, *(f"{name}-{i}" for i in range(2, 1000))) if n not in taken)

    def start_terminal(self):
        """Start a terminal whose text scrolls."""
        name = self._free_name("terminal")
        ready = os.path.join(self.folder, "run", name + "-ready")
        self.start(name, ["foot", "--title=Portlight terminal", "--window-size-pixels=700x400", "sh", "-c", SCROLL, ready],
                   "foot")
        self.wait_for_part(name, lambda: os.path.exists(ready), "its window")
        self.say(f"the {name} is there")
        return name

    # The command

    def run_command(self):
        """Start CMD in the caller's folder and run the main loop until it ends; returns the exit status."""
        try:
            self.command = subprocess.Popen(self.config.command, env=self.env, preexec_fn=processes.die_with_parent)
        except FileNotFoundError:
            print(f"with-desktop: there is no command {self.config.command[0]!r}", file=sys.stderr)
            return 127
        except PermissionError as error:
            print(f"with-desktop: {self.config.command[0]!r} cannot be run: {error.strerror}", file=sys.stderr)
            return 126
        GLib.child_watch_add(GLib.PRIORITY_HIGH, self.command.pid, self._command_ended)
        self.say(f"runs {self.config.command[0]}")
        context = GLib.MainContext.default()
        while self.command_status is None:
            context.iteration(True)
        if self.killed:
            return 128 + self.signal
        return self.command_status if self.command_status >= 0 else 128 - self.command_status

    def _command_ended(self, _pid, status):
        self.command_status = os.waitstatus_to_exitcode(status)
        self.command.returncode = self.command_status

    def on_signal(self, number):
        """A signal, or the supervisor's death, asks for the end: CMD is told, then given a short while."""
        if self.signal:
            return True
        self.signal = number
        if self.command and self.command_status is None:
            os.kill(self.command.pid, number)
            GLib.timeout_add(CMD_GRACE * 1000, self._kill_command)
        return True

    def _kill_command(self):
        if self.command_status is None:
            self.killed = True
            os.kill(self.command.pid, signal.SIGKILL)
        return False

    def run(self):
        """Everything; returns the exit status."""
        try:
            self.start_desktop()
            return self.run_command()
        except Interrupted:
            return 128 + self.signal
        except (StartFailed, parts.Missing, GLib.Error) as error:
            print(f"with-desktop: the desktop could not be started: {error}", file=sys.stderr)
            self._show_logs()
            return FAILED
        finally:
            processes.end_descendants()

    def _show_logs(self):
        for name in self.parts:
            with open(self.log_path(name), encoding="utf-8", errors="replace") as log:
                lines = log.read().splitlines()[-8:]
            for line in lines:
                print(f"  {name}: {line}", file=sys.stderr)


def main(config_json):
    """The session's entry, called by the supervisor."""
    config = types.SimpleNamespace(**json.loads(config_json))
    processes.become_subreaper()
    session = Session(config)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, session.on_signal, number)
    if os.getppid() != config.supervisor:
        return FAILED
    try:
        return session.run()
    finally:
        if os.getppid() != config.supervisor:
            shutil.rmtree(config.folder, ignore_errors=True)
