"""Which share dialogs are open, learnt from what the portal and its backend say to each other on the bus."""

import os
import subprocess
import threading

from gi.repository import Gio, GLib

SHARING = ("org.freedesktop.impl.portal.ScreenCast", "org.freedesktop.impl.portal.RemoteDesktop")
REQUEST = "org.freedesktop.impl.portal.Request"
HEADER = 16


class Dialog:
    """A call of Start that the backend has not answered yet."""

    def __init__(self, request):
        self.request = request
        self.done = threading.Event()
        self.response = None
        self.decided = None  # (when, as what) the person clicked last

    def finish(self, response):
        """The backend answered (0 shared, 1 cancelled, 2 otherwise ended), or there will be no answer (None)."""
        self.response = response
        self.done.set()


class Watch:
    """Follows the dialogs. OPENED(dialog) is called on the main thread when Start was called."""

    def __init__(self, opened):
        self._opened = opened
        self._buffer = b""
        self.ready = False
        self._pending = {}

    @staticmethod
    def command(address, backend):
        """The program whose output follow() reads; BACKEND is the name of the portal's backend."""
        rules = [f"type='method_call',interface='{name}',member='Start'" for name in SHARING]
        rules += [f"type='method_call',interface='{REQUEST}',member='Close'",
                  f"type='method_return',sender='{backend}'", f"type='error',sender='{backend}'"]
        return ["dbus-monitor", "--address", address, "--binary", *rules]

    def follow(self, child):
        """Read what CHILD, started from command(), writes."""
        fd = child.stdout.fileno()
        os.set_blocking(fd, False)
        GLib.unix_fd_add_full(GLib.PRIORITY_HIGH, fd, GLib.IOCondition.IN | GLib.IOCondition.HUP, self._readable)

    def forget_all(self):
        """The portal's backend went away, and its dialogs with it."""
        while self._pending:
            self._pending.popitem()[1].finish(None)

    def _readable(self, fd, _condition):
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return True
        if not data:
            return False
        self._buffer += data
        # The bus tells a monitor at once that it has lost its own name.
        self.ready = True
        while len(self._buffer) >= HEADER:
            size = Gio.DBusMessage.bytes_needed(self._buffer[:HEADER])
            if len(self._buffer) < size:
                break
            blob, self._buffer = self._buffer[:size], self._buffer[size:]
            self._message(Gio.DBusMessage.new_from_blob(blob, Gio.DBusCapabilityFlags.UNIX_FD_PASSING))
        return True

    def _message(self, message):
        kind = message.get_message_type()
        if kind == Gio.DBusMessageType.METHOD_CALL:
            if message.get_interface() == REQUEST:
                self._closed(message.get_path())
            elif message.get_interface() in SHARING:
                dialog = Dialog(message.get_body().unpack()[0])
                self._pending[message.get_sender(), message.get_serial()] = dialog
                self._opened(dialog)
            return
        dialog = self._pending.pop((message.get_destination(), message.get_reply_serial()), None)
        if dialog:
            answered = kind == Gio.DBusMessageType.METHOD_RETURN
            dialog.finish(message.get_body().unpack()[0] if answered else None)

    def _closed(self, request):
        for key, dialog in list(self._pending.items()):
            if dialog.request == request:
                del self._pending[key]
                dialog.finish(None)


def start(session, address, backend, opened):
    """Start watching the portal's BACKEND as a part of SESSION."""
    watch = Watch(opened)
    watch.follow(session.start("bus-monitor", Watch.command(address, backend), "dbus-bin", stdout=subprocess.PIPE))
    session.wait_for_part("bus-monitor", lambda: watch.ready, "its first message")
    return watch
