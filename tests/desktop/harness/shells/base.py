"""What every kind of desktop has in common, and all that one can be asked for; what it can't do it refuses."""

import os
import signal
import time

from gi.repository import GLib

from .. import parts

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
LATEST_FALL = 0.5
WINDOW_OBEYS_IN = 2
SCREENCAST = "org.freedesktop.impl.portal.ScreenCast"


class Refused(Exception):
    """The request cannot be done; the text says why, and what can be done instead."""


class Shell:
    """One kind of desktop. Its parts are parts of SESSION, which starts and watches them."""

    def __init__(self, session):
        self.session = session
        self.person = None

    def environment(self, run):
        """What this desktop's programs have more in their environment; RUN is XDG_RUNTIME_DIR."""
        return {"XDG_SESSION_TYPE": "wayland"}

    def start(self):
        """Start all parts, each when what it needs is ready."""
        raise NotImplementedError

    def start_applications(self):
        """Start what the command line asks for."""
        for name in self.session.config.apps:
            if name == "marker":
                self.session.start_marker(at_start=True)
            else:
                self.session.start_terminal()

    def marker_options(self, at_start):
        """More options of the marker. A window of just less than a quarter stands in the top left corner by itself."""
        width, height = self.session.config.size
        return ["--bare", "--size", f"{width // 2 - 1}x{height // 2 - 1}"]

    def marker_is_placed(self, title):
        """Put a new marker where it belongs; returns whether it is there."""
        return True

    def part_ended(self, name, meant):
        """The part NAME ended; MEANT if somebody here wanted that."""

    def the_person(self):
        """Whoever answers share dialogs."""
        if not self.person:
            raise Refused("this desktop has no share dialogs: it is a bare X11 display")
        return self.person

    def _refuse(self, what, remedy):
        raise Refused(f"this desktop {what}. Remedy: with-desktop --shell {remedy}")

    def start_portal(self):
        """Start the portal and its backend; if they run already, start them afresh."""
        self._refuse("has no portal", "mutter")

    def mend_portal(self):
        """See to it that the portal's backend runs, if it is about to fall over."""

    def stop_shares(self):
        """Stop every share from the desktop's side."""
        self._refuse("shares nothing by itself", "mutter")

    def windows(self):
        """All windows with a title, lowest first."""
        self._refuse("does not tell of its windows", "gnome")

    def handle(self, action, title, *values):
        """Move, resize, close, minimize or activate the window with TITLE."""
        self._refuse("does not let its windows be handled", "gnome")

    def find(self, title):
        """The window with TITLE in its title."""
        self._refuse("does not tell of its windows", "gnome")

    def _obeyed(self, action, title, values):
        """The window with TITLE once ACTION took effect, or after a while: its program may have limits of its own."""
        wanted = {"move": ("x", "y"), "resize": ("width", "height")}.get(action, ())
        deadline = time.monotonic() + WINDOW_OBEYS_IN
        while [self.find(title)[key] for key in wanted] != list(values) and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.find(title)

    def screenshot(self, path, monitor):
        """Write a PNG of a monitor to PATH."""
        self._refuse("gives no screenshot", "mutter")

    def click(self, x, y):
        """Click at a place of the desktop."""
        self._refuse("has no pointer", "mutter")

    def key(self, keysyms):
        """Press keys together."""
        self._refuse("has no keyboard", "mutter")

    def output(self, name, action, value):
        """Change an output's mode, transform or scale, or switch it on or off."""
        self._refuse("does not let its outputs be changed", "sway")

    def choose(self):
        """The name of the output that the person chooses, for a portal whose dialog is a program of ours."""
        self._refuse("asks by a dialog of its own", "sway")

    def restore_token(self, title):
        """A token that restores a share of the window with TITLE, for a dialog that nobody here can answer."""
        self._refuse("has a dialog that can be answered", "kwin")


class PortalShell(Shell):
    """One with a compositor, and a backend of the portal's of its own."""

    BACKEND = ""
    PACKAGE = ""
    NAME = ""

    def __init__(self, session):
        super().__init__(session)
        self.dialogs = None  # whoever keeps those that are open, once there is somebody

    def backend_command(self):
        """The command of the portal's backend."""
        return [parts.libexec(self.BACKEND, self.PACKAGE)]

    def backend_environment(self):
        """What it alone has in its environment."""
        return {}

    def start_portal(self):
        session = self.session
        for name in ("portal", "portal-backend"):
            if name in session.parts and name not in session.ended:
                session.end_part(name, signal.SIGTERM)
                session.wait(lambda name=name: name in session.ended, f"the end of {name}")
        self._start_backend()
        portal = parts.libexec("xdg-desktop-portal", "xdg-desktop-portal")
        session.start("portal", [portal], "xdg-desktop-portal")
        session.wait_for_name("portal", "org.freedesktop.portal.Desktop")
        session.say("the portal is ready")

    def part_ended(self, name, meant):
        """The backend's dialogs go with it. It is started again, as the bus of an installed desktop does on demand."""
        if name != "portal-backend":
            return
        if self.dialogs:
            self.dialogs.forget_all()
        if not meant and self.session.command_status is None:
            GLib.idle_add(self._revive)

    def _revive(self):
        if "portal-backend" in self.session.ended:
            self._start_backend()
        return False

    def _start_backend(self):
        self.session.start("portal-backend", self.backend_command(), self.PACKAGE, env=self.backend_environment())
        self.session.wait_for_name("portal-backend", self.NAME)
        self.session.wait_for_part("portal-backend", self._offers_screens, "what it shares")

    def _offers_screens(self):
        """Whether the backend found its compositor: it has its name sooner, and refuses shares until then."""
        try:
            self.session.bus.call_sync(self.NAME, "/org/freedesktop/portal/desktop", "org.freedesktop.DBus.Properties",
                                       "Get", GLib.Variant("(ss)", (SCREENCAST, "AvailableSourceTypes")), None, 0, 1000)
            return True
        except GLib.Error:
            return False

    def mend_portal(self):
        """Wait until the backend runs again if it is about to fall over, as GNOME 43's is expected to.

        It does whenever a request is withdrawn while its dialog is open: soon after, not at once.
        """
        session = self.session
        deadline = time.monotonic() + LATEST_FALL
        while "portal-backend" not in session.deaths and time.monotonic() < deadline:
            time.sleep(0.01)
        session.on_main(lambda: session.wait_for_part("portal-backend", self._offers_screens, "what it shares"))
        session.forgive("portal-backend")
