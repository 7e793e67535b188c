"""The person at a desktop whose dialogs are answered by the actions that they offer to screen readers."""

import time

from gi.repository import GLib

from .consent import CANCEL, LATEST_ANSWER, LOOK_EVERY, Person


class ScreenReader(Person):
    """Declines, or leaves a dialog alone: what it shows can't be chosen that way."""

    def __init__(self, bus, registry, say, mode):
        super().__init__(bus, registry, None, None, say, mode)

    def _answer(self, dialog, mode):
        window = self._newest_window()
        self._complain_if_slow(dialog, window, mode)
        items = window.below() if window else ()
        cancel = next((item for item in items if item.role == "push button" and item.name.lower() == CANCEL), None)
        if not cancel:
            dialog.done.wait(LOOK_EVERY)
            return
        self._registry.ask(cancel.address, "org.a11y.atspi.Action", "DoAction", GLib.Variant("(i)", (0,)))
        dialog.decided = (time.time(), mode)
        if dialog.done.wait(LATEST_ANSWER):
            self._note_answer(dialog)
