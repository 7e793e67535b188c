"""The mouse and the keyboard of the desktop's person, through org.gnome.Mutter.RemoteDesktop."""

import time

from gi.repository import GLib

NAME = "org.gnome.Mutter.RemoteDesktop"
PATH = "/org/gnome/Mutter/RemoteDesktop"
SESSION = NAME + ".Session"
LEFT = 0x110
FAR = -20000.0
SHIFT = 0xFFE1
CLICK_SECONDS = 0.03


class Pointer:
    """A pointer for a few actions; use it in a with statement, since GNOME Shell shows that somebody controls it."""

    def __init__(self, bus):
        self._bus = bus
        self._session = None

    def __enter__(self):
        reply = self._bus.call_sync(NAME, PATH, NAME, "CreateSession", None, None, 0, 5000)
        self._session = reply.unpack()[0]
        self._call("Start")
        # The first event makes the seat's pointer and keyboard, and programs need a moment to notice them.
        self._call("NotifyPointerMotionRelative", GLib.Variant("(dd)", (1.0, 1.0)))
        self._call("NotifyKeyboardKeysym", GLib.Variant("(ub)", (SHIFT, True)))
        self._call("NotifyKeyboardKeysym", GLib.Variant("(ub)", (SHIFT, False)))
        return self

    def __exit__(self, *_error):
        try:
            self._call("Stop")
        except GLib.Error:
            pass  # The shell's own Stop ends this session too.

    def _call(self, method, arguments=None):
        self._bus.call_sync(NAME, self._session, SESSION, method, arguments, None, 0, 5000)

    def move(self, x, y):
        """Put the pointer at (X, Y) of the desktop: into the corner, then out again."""
        self._call("NotifyPointerMotionRelative", GLib.Variant("(dd)", (FAR, FAR)))
        self._call("NotifyPointerMotionRelative", GLib.Variant("(dd)", (float(x), float(y))))

    def click(self, x, y):
        """Press and release the left button at (X, Y). Returns the wall clock of the release, in seconds."""
        self.move(x, y)
        self._call("NotifyPointerButton", GLib.Variant("(ib)", (LEFT, True)))
        time.sleep(CLICK_SECONDS)
        self._call("NotifyPointerButton", GLib.Variant("(ib)", (LEFT, False)))
        return time.time()

    def key(self, keysyms):
        """Press keys, by their keysyms, and release them in reverse."""
        for pressed, order in ((True, keysyms), (False, keysyms[::-1])):
            for keysym in order:
                self._call("NotifyKeyboardKeysym", GLib.Variant("(ub)", (keysym, pressed)))
                time.sleep(CLICK_SECONDS)
