"""The person where the portal's dialog is a program of ours: it asks here, and waits for the answer."""

import threading
import time


class Chooser:
    """Answers as told; OUTPUT is the name of what is shared."""

    def __init__(self, output, mode):
        self.output = output
        self.mode = mode
        self.asked = 0
        self.answered = 0
        self.consented_at = None
        self._open = 0
        self._life = 0
        self._changed = threading.Condition()

    def set_mode(self, mode):
        """How dialogs are answered from now on, those already open included."""
        with self._changed:
            self.mode = mode
            self._changed.notify_all()

    def open_dialogs(self):
        """How many dialogs wait for an answer."""
        return self._open

    def forget_all(self):
        """The portal's backend went away, and its dialogs with it."""
        with self._changed:
            self._open = 0
            self._life += 1
            self._changed.notify_all()

    def choose(self):
        """Called by the dialog, on a thread of its own: the output's name, or None for no."""
        with self._changed:
            life = self._life
            self.asked += 1
            self._open += 1
            self._changed.wait_for(lambda: self.mode != "ignore" or life != self._life)
            if life != self._life:
                return None
            self._open -= 1
            self.answered += 1
            if self.mode == "deny":
                return None
            self.consented_at = time.time_ns() // 1_000_000
            return self.output
