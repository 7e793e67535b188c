"""The person at the desktop, who answers share dialogs with the mouse as told."""

import threading
import time

from gi.repository import GLib

from . import accessibility
from .pointer import Pointer

LOOK_EVERY = 0.02
SETTLE = 0.4
SHARE, CANCEL = ("share", "_share share"), ("cancel", "_cancel cancel")


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
        self.mode = mode
        self.window_title = "Portlight marker"
        self.consented_at = None
        self.answered = 0
        threading.Thread(target=self._work, daemon=True).start()

    def dialog_opened(self, dialog):
        """A dialog is about to appear."""
        with self._changed:
            self._open.append(dialog)
            self._changed.notify()

    def set_mode(self, mode):
        """How dialogs are answered from now on, those already open included."""
        with self._changed:
            self.mode = mode
            self._changed.notify()

    def _work(self):
        while True:
            with self._changed:
                self._open = [dialog for dialog in self._open if not dialog.done.is_set()]
                if not self._open or self.mode == "ignore":
                    self._changed.wait(0.1 if self._open else None)
                    continue
                dialog = self._open[-1]
            try:
                self._answer(dialog)
            except GLib.Error as error:
                self._say(f"could not answer the dialog: {error.message}")
                dialog.done.wait(SETTLE)

    def _answer(self, dialog):
        window = self._newest_window()
        if not window:
            dialog.done.wait(LOOK_EVERY)
            return
        mode = self.mode
        target, last = self._next_click(window, mode)
        if not target:
            dialog.done.wait(LOOK_EVERY)
            return
        x, y, width, height = target.rectangle
        left, top = self._where(window)
        with Pointer(self._bus) as pointer:
            at = pointer.click(left + x + width / 2, top + y + height / 2)
            if last:
                self._wait_answer(dialog, target, mode, at)
                pointer.move(*self._rest)

    def _wait_answer(self, dialog, target, mode, at):
        if not dialog.done.wait(SETTLE):
            self._say(f"the click on {target!r} had no effect yet")
            return
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
        buttons = {item.name.lower(): item for item in items if item.role in ("button", "push button")}
        wanted = CANCEL if mode == "deny" else SHARE
        button = next((buttons[name] for name in wanted if name in buttons), None)
        if mode == "deny" or not button:
            return button, True
        rows = [item for item in items if item.role == "list item"]
        if not rows:
            return None, False
        if rows[0].has(accessibility.SELECTED):
            return button, True
        return rows[0], False
