"""The control socket: what desktop-ctl asks for, done by the session.

One request a connection: a line of JSON, {"command": NAME, "arguments": [TEXT, …]}, answered by a line of JSON,
{"value": …} or {"error": TEXT}.
"""

import json
import signal
import socketserver
import threading

from gi.repository import GLib

from . import parts
from .person.consent import NoSuchWindow
from .shells import KINDS, screenshot, shares
from .shells.base import Refused

KEYS = {"escape": 0xFF1B, "return": 0xFF0D, "tab": 0xFF09, "space": 0x20, "left": 0xFF51, "up": 0xFF52,
        "right": 0xFF53, "down": 0xFF54, "f4": 0xFFC1, "ctrl": 0xFFE3, "shift": 0xFFE1, "alt": 0xFFE9}
ACTIONS = {"move": 2, "resize": 2, "close": 0, "minimize": 0, "activate": 0}


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
        except (Refused, NoSuchWindow, screenshot.Failed, shares.NothingShared, parts.Missing, OSError) as error:
            return {"error": str(error)}
        except GLib.Error as error:
            return {"error": f"the desktop did not answer: {error.message}"}
        except (KeyError, TypeError, ValueError) as error:
            return {"error": f"not a request: {error}"}

    @property
    def _shell(self):
        return self._session.shell

    @property
    def _kind(self):
        return KINDS[self._session.config.shell]

    def do_can(self):
        """What this desktop can do."""
        return self._kind.can

    def do_consent(self, mode, title=None):
        """How share dialogs are answered from now on; for windows, TITLE says which."""
        person = self._shell.the_person()
        if mode not in self._kind.consents:
            raise Refused(f"no answer {mode!r} here; there are {', '.join(self._kind.consents)}. For windows: "
                          "with-desktop --shell gnome")
        if title:
            person.window_title = title
        person.set_mode(mode)

    def do_consented_at(self):
        """The wall clock of the last click on Share, in ms."""
        person = self._shell.the_person()
        if person.consented_at is None:
            raise Refused("nothing has been shared yet")
        return person.consented_at

    def do_dialogs(self):
        """How many share dialogs are open, and how many were answered."""
        person = self._shell.the_person()
        return {"open": person.open_dialogs(), "answered": person.answered}

    def do_asked(self):
        """How often the person was asked, dialogs that nobody answered included."""
        return self._shell.the_person().asked

    def do_choose(self):
        """The name of the output that the person chooses; null: they decline."""
        return self._shell.choose()

    def do_restore_token(self, title):
        """A token that restores a share of the window with TITLE."""
        return self._shell.restore_token(title)

    def do_stop_share(self):
        """Stop every share from the desktop's side."""
        self._shell.stop_shares()

    def do_window(self, action, title="", *numbers):
        """list, or one of move, resize, close, minimize and activate with the window's title."""
        if action == "list":
            return self._shell.windows()
        if action not in ACTIONS:
            raise Refused(f"no action {action!r}; there are list, {', '.join(ACTIONS)}")
        if len(numbers) != ACTIONS[action]:
            raise Refused(f"window {action} takes {'two numbers' if ACTIONS[action] else 'a title only'}")
        return self._shell.handle(action, title, *map(int, numbers))

    def do_screenshot(self, path, monitor="0"):
        """Write a PNG of a monitor."""
        self._shell.screenshot(path, int(monitor))

    def do_click(self, x, y):
        """Click at a place of the desktop."""
        self._shell.click(float(x), float(y))

    def do_key(self, name):
        """Press a key, or several at once, joined by +: single characters, or the names known."""
        keysyms = [KEYS.get(key.lower()) or (ord(key) if len(key) == 1 else None) for key in name.split("+")]
        if None in keysyms:
            raise Refused(f"no key {name!r}; there are single characters, {', '.join(KEYS)}")
        self._shell.key(keysyms)

    def do_output(self, name, action, value=""):
        """Change an output: its mode, transform or scale, or whether it is on."""
        self._shell.output(name, action, value)

    def do_mend_portal(self):
        """Wait until the portal's backend runs again, if it falls over now."""
        self._shell.mend_portal()

    def do_deaths(self):
        """The parts that ended by themselves since this was asked last."""
        deaths, self._session.deaths = self._session.deaths, []
        return deaths

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
                    "portal": self._shell.start_portal}
        if name not in starters:
            raise Refused(f"cannot start {name!r}; there are {', '.join(starters)}")
        return self._session.on_main(lambda: starters[name](*arguments))
