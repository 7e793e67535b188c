"""A desktop without a compositor: a portal whose dialogs are answered as told, and screens that show the marker.

PipeWire, the portal's calls and the pictures are real; nothing is drawn but what tests/fake/producer sends. Each
share gets a screen of its own, as compositors give one.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

from gi.repository import Gio, GLib

from .base import HERE, Shell
from .shares import NothingShared
from .. import parts

sys.path.insert(0, os.path.join(HERE, "../fake/portal"))
from screencast import NAME, ScreenCast  # noqa: E402

PRODUCER = os.path.join(HERE, "../../build/release/tests/fake/producer")
PROPERTIES = {"version": 4, "AvailableSourceTypes": 3, "AvailableCursorModes": 7}
MONITOR = 1
METADATA = 4  # of cursor_mode
UNTIL_REVOKED = 2  # of persist_mode
SHARED, CANCELLED = 0, 1


class Scripted(Shell):
    """PipeWire and the portal are all there is of it."""

    def environment(self, run):
        return {"XDG_SESSION_TYPE": "wayland", "XDG_CURRENT_DESKTOP": "GNOME"}

    def start(self):
        session = self.session
        session.start_pipewire()
        self.person = Portal(session, parts.connect(session.env["DBUS_SESSION_BUS_ADDRESS"]))
        session.wait_for_name("bus", NAME)
        session.say("the scripted portal is ready")

    def start_applications(self):
        """They are on the screens."""

    def stop_shares(self):
        if self.person.stop_shares() == 0:
            raise NothingShared("nothing is shared")

    def click(self, x, y):
        self.person.move_pointer(int(x), int(y))


class Screen:
    """What one session shows. READY(node) is called once, when its stream is there."""

    def __init__(self, session, name, ready):
        self._ready = ready
        self._lines = b""
        width, height = session.config.size
        command = [PRODUCER, "--size", f"{width}x{height}"]
        self._child = session.start(name, command, "", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.name = name
        os.set_blocking(self._child.stdout.fileno(), False)
        GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, self._child.stdout.fileno(),
                              GLib.IOCondition.IN | GLib.IOCondition.HUP, self._readable)
        self.say("fill ededea")
        self.say(f"marker {session.config.rate}" if "marker" in session.config.apps else "frame")

    def say(self, command):
        """Tell the producer."""
        try:
            self._child.stdin.write(command.encode() + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            pass  # It was ended in mid-share.

    def _readable(self, fd, _condition):
        try:
            data = os.read(fd, 4096)
        except BlockingIOError:
            return True
        self._lines += data
        while self._ready and b"\n" in self._lines:
            line, self._lines = self._lines.split(b"\n", 1)
            if line.startswith(b"node "):
                ready, self._ready = self._ready, None
                ready(int(line[5:]))
        return bool(data)


class Cast:
    """One session of the portal's."""

    def __init__(self, sender):
        self.sender = sender
        self.options = {}
        self.screen = None
        self.watch = None


class Portal(ScreenCast):
    """The portal, and the person who answers its dialogs, whose methods may be called on any thread."""

    def __init__(self, session, bus):
        super().__init__(bus, PROPERTIES)
        if not os.access(PRODUCER, os.X_OK):
            raise parts.Missing(f"{os.path.relpath(PRODUCER)} is not built. Remedy: make capture-programs")
        self._session = session
        self._casts = {}
        self._dialogs = {}  # request: session
        self._tokens = set()
        self._count = 0
        width, height = session.config.size
        self._pointer = (width - 2, height - 2)
        self.mode = session.config.consent
        self.window_title = None
        self.consented_at = None
        self.asked = 0
        self.answered = 0
        self.publish()
        Gio.bus_own_name_on_connection(bus, NAME, Gio.BusNameOwnerFlags.NONE, None, None)

    # The person

    def set_mode(self, mode):
        """How dialogs are answered from now on, those already open included."""
        self._on_main(lambda: self._set_mode(mode))

    def open_dialogs(self):
        """How many dialogs wait for an answer."""
        return len(self._dialogs)

    def move_pointer(self, x, y):
        """The pointer is there from now on."""
        self._on_main(lambda: self._move_pointer(x, y))

    def stop_shares(self):
        """The desktop's own Stop. Returns how many shares it ended."""
        return self._on_main(self._stop_shares)

    @staticmethod
    def _on_main(action):
        done, value = threading.Event(), []

        def run():
            value.append(action())
            done.set()
            return False

        GLib.idle_add(run)
        done.wait()
        return value[0]

    def _set_mode(self, mode):
        self.mode = mode
        for request, session in list(self._dialogs.items()):
            self._answer(request, session)

    def _move_pointer(self, x, y):
        self._pointer = (x, y)
        for cast in self._casts.values():
            self._show_pointer(cast)

    def _show_pointer(self, cast):
        if cast.screen and cast.options.get("cursor_mode") == METADATA:
            cast.screen.say(f"pointer {self._pointer[0]} {self._pointer[1]}")

    def _stop_shares(self):
        live = [path for path, cast in self._casts.items() if cast.screen]
        for path in live:
            self.close_session(self._casts[path].sender, path)
            self._end(path)
        return len(live)

    # The portal

    def called(self, method, sender, session, options, invocation):
        """A call of METHOD came."""
        if method == "OpenPipeWireRemote":
            remote = socket.socket(socket.AF_UNIX)
            remote.connect(os.path.join(self._session.folder, "run/pipewire-0"))
            self.return_remote(invocation, remote)
            return
        request = self.export("request", sender, options)
        invocation.return_value(GLib.Variant("(o)", (request,)))
        if method == "CreateSession":
            path = self.export("session", sender, options)
            cast = self._casts[path] = Cast(sender)
            cast.watch = Gio.bus_watch_name_on_connection(self.bus, sender, Gio.BusNameWatcherFlags.NONE, None,
                                                          lambda *_: self._end(path))
            self.respond(sender, request, SHARED, {"session_handle": GLib.Variant("s", path)})
        elif method == "SelectSources":
            self._casts[session].options = options
            self.respond(sender, request, SHARED, {})
        else:
            self.asked += 1
            self._dialogs[request] = session
            self._answer(request, session)

    def closed(self, kind, path):
        """The caller withdrew a dialog, or ended a session."""
        if kind == "request":
            self._dialogs.pop(path, None)
        else:
            self._end(path)

    def _answer(self, request, session):
        """What a token restores asks nobody; a dialog is answered as told, or waits."""
        cast = self._casts[session]
        restored = cast.options.get("restore_token") in self._tokens
        if not restored:
            if self.mode == "ignore":
                return
            self.answered += 1
        del self._dialogs[request]
        if not restored and self.mode == "deny":
            self.respond(cast.sender, request, CANCELLED, {})
            return
        if not restored:
            self.consented_at = time.time_ns() // 1_000_000
        self._count += 1
        cast.screen = Screen(self._session, f"screen-{self._count}",
                             lambda node: self._shared(cast, request, node))
        self._show_pointer(cast)

    def _shared(self, cast, request, node):
        streams = [self.stream(node, self._session.config.size, MONITOR)]
        results = {"streams": GLib.Variant("a(ua{sv})", streams)}
        if cast.options.get("persist_mode") == UNTIL_REVOKED:
            # A token is good once; each share brings the next one.
            self._tokens.discard(cast.options.get("restore_token"))
            token = f"token-{self._count}"
            self._tokens.add(token)
            results["restore_token"] = GLib.Variant("s", token)
        if request in self.objects:
            self.respond(cast.sender, request, SHARED, results)

    def _end(self, path):
        cast = self._casts.pop(path, None)
        if not cast:
            return
        self._dialogs = {request: session for request, session in self._dialogs.items() if session != path}
        Gio.bus_unwatch_name(cast.watch)
        self.withdraw(path)
        if cast.screen and cast.screen.name not in self._session.ended:
            self._session.end_part(cast.screen.name, signal.SIGKILL)
