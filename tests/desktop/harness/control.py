"""The control socket: what desktop-ctl asks for, done by the session.

One request a connection: a line of JSON, {"command": NAME, "arguments": [TEXT, …]}, answered by a line of JSON,
{"value": …} or {"error": TEXT}.
"""

import json
import signal
import socketserver
import threading
import time

from gi.repository import GLib

from . import gnome, parts, screenshot, shares
from .pointer import Pointer

KEYS = {"escape": 0xFF1B, "return": 0xFF0D, "tab": 0xFF09, "space": 0x20, "left": 0xFF51, "up": 0xFF52,
        "right": 0xFF53, "down": 0xFF54}
WINDOW_OBEYS_IN = 2
MODES = ("screen", "window", "deny", "ignore")


class Refused(Exception):
    """The request cannot be done; the text says why, and what can be done instead."""


class Control:
    """The commands; each method named do_… is one, and runs on a thread of its own."""

    def __init__(self, session):
        self._session = session

    def serve(self, path):
        """Listen on the socket PATH until the process ends."""
        control = self

        class Handler(socketserver.StreamRequestHandler):
            """One request."""

            def handle(self):
                self.wfile.write(json.dumps(control.answer(self.rfile.readline())).encode() + b"\n")

        server = socketserver.ThreadingUnixStreamServer(path, Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def answer(self, line):
        """The answer to one request, as it came."""
        try:
            request = json.loads(line)
            method = getattr(self, "do_" + request["command"].replace("-", "_"), None)
            if not method:
                raise Refused(f"no command {request['command']!r}. desktop-ctl --help lists them")
            return {"value": method(*request["arguments"])}
        except (Refused, gnome.NoSuchWindow, screenshot.Failed, shares.NothingShared, parts.Missing, OSError) as error:
            return {"error": str(error)}
        except GLib.Error as error:
            return {"error": f"the desktop did not answer: {error.message}"}
        except (KeyError, TypeError, ValueError) as error:
            return {"error": f"not a request: {error}"}

    def _person(self):
        if not self._session.person:
            raise Refused("this desktop has no share dialogs: it is a bare X11 display")
        return self._session.person

    def _scripted(self):
        return self._session.config.shell == "scripted"

    def _shell(self):
        if not self._session.shell:
            raise Refused("only GNOME Shell lets windows be handled. Remedy: with-desktop --shell gnome")
        return self._session.shell

    def do_consent(self, mode, title=None):
        """How share dialogs are answered from now on; for windows, TITLE says which."""
        person = self._person()
        if mode not in MODES:
            raise Refused(f"no answer {mode!r}; there are {', '.join(MODES)}")
        if mode == "window" and not self._session.shell:
            raise Refused("plain mutter offers monitors only. Remedy: with-desktop --shell gnome")
        if title:
            person.window_title = title
        person.set_mode(mode)

    def do_consented_at(self):
        """The wall clock of the last click on Share, in ms."""
        if self._person().consented_at is None:
            raise Refused("nothing has been shared yet")
        return self._person().consented_at

    def do_dialogs(self):
        """How many share dialogs are open, and how many were answered."""
        return {"open": self._person().open_dialogs(), "answered": self._person().answered}

    def do_stop_share(self):
        """Stop every share from the desktop's side."""
        person = self._person()
        if self._scripted():
            if person.stop_shares() == 0:
                raise shares.NothingShared("nothing is shared")
        elif self._session.shell:
            with person.hand:
                shares.click_indicator(self._session.bus, self._session.shell)
        else:
            shares.close_sessions(self._session.bus)

    def do_window(self, action, title="", *numbers):
        """list, or one of move, resize, close, minimize and activate with the window's title."""
        shell = self._shell()
        if action == "list":
            return shell.windows()
        if action not in ("move", "resize", "close", "minimize", "activate"):
            raise Refused(f"no action {action!r}; there are list, move, resize, close, minimize and activate")
        values = [int(number) for number in numbers]
        if len(values) != (2 if action in ("move", "resize") else 0):
            raise Refused(f"window {action} takes {'two numbers' if action in ('move', 'resize') else 'a title only'}")
        getattr(shell, action)(shell.find(title), *values)
        if action == "close":
            return None
        wanted = {"move": ("x", "y"), "resize": ("width", "height")}.get(action, ())
        # The window's program takes part in a resize, and may have its own limits.
        deadline = time.monotonic() + WINDOW_OBEYS_IN
        while [shell.find(title)[key] for key in wanted] != values and time.monotonic() < deadline:
            time.sleep(0.02)
        return shell.find(title)

    def do_screenshot(self, path, monitor="0"):
        """Write a PNG of a monitor."""
        if self._scripted():
            raise Refused("a scripted desktop draws nothing. Remedy: with-desktop --shell mutter")
        if self._session.config.shell == "xvfb":
            screenshot.take_x11(self._session.env, path)
        else:
            screenshot.take(self._session.bus, self._session.env, path, int(monitor))

    def do_click(self, x, y):
        """Click at a place of the desktop."""
        person = self._person()
        if self._scripted():
            person.move_pointer(int(x), int(y))
            return
        # Not before the person, who answered a dialog just now, has put the pointer away.
        with person.hand, Pointer(self._session.bus) as pointer:
            pointer.click(float(x), float(y))

    def do_key(self, name):
        """Press a key: one character, or one of the names known."""
        person = self._person()
        if self._scripted():
            raise Refused("a scripted desktop has no keyboard. Remedy: with-desktop --shell mutter")
        keysym = KEYS.get(name.lower()) or (ord(name) if len(name) == 1 else None)
        if not keysym:
            raise Refused(f"no key {name!r}; there are single characters, {', '.join(KEYS)}")
        with person.hand, Pointer(self._session.bus) as pointer:
            pointer.key(keysym)

    def do_mend_portal(self):
        """Start the portal again if its backend fell over."""
        self._session.mend_portal()

    def do_parts(self):
        """The parts of the desktop with their pids; null for those that have ended."""
        running = self._session.parts
        return {name: None if name in self._session.ended else child.pid for name, child in running.items()}

    def do_kill(self, name, signal_name="KILL"):
        """End a part of the desktop, as a crash would."""
        if not self.do_parts().get(name):
            raise Refused(f"no part {name!r} runs; there are {', '.join(self._session.parts)}")
        number = getattr(signal, "SIG" + signal_name, None)
        if not number:
            raise Refused(f"no signal {signal_name!r}; there are KILL, TERM, STOP and so on")
        self._session.end_part(name, number)

    def do_start(self, name, *arguments):
        """Start an application, or the portal again after its end."""
        starters = {"marker": self._session.start_marker, "terminal": self._session.start_terminal,
                    "portal": self._session.start_portal}
        if name not in starters:
            raise Refused(f"cannot start {name!r}; there are {', '.join(starters)}")
        return self._session.on_main(lambda: starters[name](*arguments))
