"""The person at the desktop, who answers share dialogs with the mouse as told."""

import sys
import threading
import time

from gi.repository import GLib

from . import accessibility
from .accessibility import CHECKED, PRESSED, SELECTED
from .pointer import Pointer

LOOK_EVERY = 0.02
LATEST_EFFECT = 0.6
LATEST_ANSWER = 10
SLOW = 10
# Places within a dialog that do nothing when clicked but to raise it: the middle of its title, and its lower rim.
NEUTRAL = ((0.5, 0.04), (0.5, 0.97))
SHARE, CANCEL = "share", "cancel"
# What the tabs are called, and what is chosen from, in the dialog of GNOME 43 to 46, and in the one since 47.
TABS = {"screen": ("entire screen", "display"), "window": ("single window", "window")}
TAB_ROLES = ("tab", "radio button")
ROW_ROLES = {"screen": ("list item", "toggle button"), "window": ("list item",)}


def _plain(name):
    """A name without the mark of its underlined letter."""
    return name.lower().replace("_", "")


def _is_chosen(item):
    return any(item.has(state) for state in (SELECTED, PRESSED, CHECKED))


class NoSuchWindow(Exception):
    """No window has the title that was asked for."""


class Person:
    """Answers every dialog that opens, one at a time, on a thread of its own.

    WHERE(item) gives the position on the desktop of a dialog's top left corner; REST is where the pointer is put when
    there is nothing to do.
    """

    def __init__(self, bus, registry, where, rest, say, mode):
        self._bus = bus
        self._registry = registry
        self._where = where
        self._rest = rest
        self._say = say
        self._open = []
        self._changed = threading.Condition()
        self.hand = threading.Lock()  # There is one pointer: whoever moves it holds this.
        self.mode = mode
        self.window_title = "Portlight marker"
        self.consented_at = None
        self.asked = 0
        self.answered = 0
        threading.Thread(target=self._work, daemon=True).start()

    def dialog_opened(self, dialog):
        """A dialog is about to appear."""
        dialog.slow_at = time.monotonic() + SLOW
        with self._changed:
            self.asked += 1
            self._open.append(dialog)
            self._changed.notify()

    def set_mode(self, mode):
        """How dialogs are answered from now on, those already open included."""
        with self._changed:
            self.mode = mode
            self._changed.notify()

    def open_dialogs(self):
        """How many dialogs wait for an answer."""
        with self._changed:
            return sum(not dialog.done.is_set() for dialog in self._open)

    def _work(self):
        while True:
            with self._changed:
                for dialog in [dialog for dialog in self._open if dialog.done.is_set()]:
                    self._open.remove(dialog)
                    self._note_answer(dialog)
                if not self._open or self.mode == "ignore":
                    self._changed.wait(0.1 if self._open else None)
                    continue
                dialog = self._open[-1]
            try:
                with self.hand:
                    self._answer(dialog, self.mode)
            except (GLib.Error, NoSuchWindow) as error:
                self._complain_if_slow(dialog, error, self.mode)
                dialog.done.wait(LOOK_EVERY)  # The window is not there yet, or no more.

    def _answer(self, dialog, mode):
        """Click through the dialog, looking again after each click what it shows."""
        with Pointer(self._bus) as pointer:
            while not dialog.done.is_set() and mode == self.mode:
                window = self._newest_window()
                self._complain_if_slow(dialog, window, mode)
                target, last = self._look(window, mode) if window else (None, False)
                if not target:
                    dialog.done.wait(LOOK_EVERY)
                    continue
                at = self._click(pointer, window, target.rectangle)
                if last:
                    dialog.decided = (at, mode)
                if self._took_effect(dialog, window, mode, target):
                    if last and dialog.done.wait(LATEST_ANSWER):
                        self._note_answer(dialog)
                elif not dialog.done.is_set():
                    self._say(f"the click on {target!r} had no effect; tries again with the dialog in front")
                    self._raise(pointer, window)
                    break  # With another pointer: GTK at times misses that one came, and hears nothing of its clicks.
            pointer.move(*self._rest)

    @staticmethod
    def _complain_if_slow(dialog, shown, mode):
        """Tell once, for whoever wonders why a test hangs, what the dialog shows or why that is not known."""
        if time.monotonic() > dialog.slow_at:
            dialog.slow_at = float("inf")
            if isinstance(shown, accessibility.Item):
                shown = [item for item in shown.below() if item.name]
            print(f"with-desktop: a share dialog is not answered yet ({mode}): {shown}", file=sys.stderr, flush=True)

    def _click(self, pointer, window, rectangle):
        left, top = self._where(window)
        x, y, width, height = rectangle
        return pointer.click(left + x + width / 2, top + y + height / 2)

    def _raise(self, pointer, window):
        """Another window may cover the dialog: click where that does nothing but raise it."""
        _, _, width, height = window.rectangle
        for across, down in NEUTRAL:
            self._click(pointer, window, (across * width, down * height, 0, 0))

    def _look(self, window, mode):
        """As _next_click(), and then leaves the dialog alone for as long as its answers took.

        What is asked of it comes before its own drawing: without a rest, a slow one would never show anything new.
        """
        began = time.monotonic()
        found = self._next_click(window, mode)
        time.sleep(time.monotonic() - began)
        return found

    def _took_effect(self, dialog, window, mode, target):
        """Wait for what a click brings: the answer, the dialog's end, or something else to be clicked next."""
        deadline = time.monotonic() + LATEST_EFFECT
        while time.monotonic() < deadline:
            if dialog.done.wait(LOOK_EVERY) or window not in self._registry.windows():
                return True
            following, _ = self._look(window, mode)
            if not following or following.rectangle != target.rectangle:
                return True
        return False

    def _note_answer(self, dialog):
        """The dialog is done; where it was decided here, the portal says so as soon as the stream is there."""
        if not dialog.decided:
            return
        (at, mode), dialog.decided = dialog.decided, None
        self.answered += 1
        if mode != "deny" and dialog.response == 0:
            self.consented_at = int(at * 1000)
        self._say(f"answered a share dialog ({mode}): response {dialog.response}")

    def _newest_window(self):
        windows = self._registry.windows()
        return windows[-1] if windows else None

    def _next_click(self, window, mode):
        """(what to click now, whether that ends the dialog), or (None, False) while the dialog is not ready."""
        items = [item for item in window.below() if item.visible()]
        buttons = {item.name.lower().split(" ")[-1]: item for item in items if item.role in ("button", "push button")}
        if mode == "deny":
            return buttons.get(CANCEL), True
        tab = next((item for item in items if item.role in TAB_ROLES and _plain(item.name) in TABS[mode]), None)
        if tab and not _is_chosen(tab):
            return tab, False
        rows = [item for item in items if item.role in ROW_ROLES[mode]]
        if mode == "window":
            rows = [row for row in rows if self._is_wanted(row)]
        if not rows or SHARE not in buttons:
            return None, False
        if not _is_chosen(rows[0]):
            return rows[0], False
        return buttons[SHARE], True

    def _is_wanted(self, row):
        texts = [row.name] + [item.name for item in row.below()]
        return any(self.window_title.lower() in text.lower() for text in texts)
