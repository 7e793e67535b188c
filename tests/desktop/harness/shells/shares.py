"""Ending shares from the desktop's side."""

from gi.repository import Gio, GLib

from ..person.pointer import Pointer

SESSIONS = "/org/freedesktop/portal/desktop/session"
INDICATOR = """(() => { const i = Main.panel.statusArea.screenSharing || Main.panel.statusArea.remoteAccess;
  if (!i || !i.visible || !i.mapped) { return null; }
  const [x, y] = i.get_transformed_position(), [w, h] = i.get_transformed_size(); return [x + w / 2, y + h / 2]; })()"""


class NothingShared(Exception):
    """There is no share to stop."""


def click_indicator(bus, shell):
    """Stop all shares as a person does, with the orange indicator in GNOME Shell's top bar. It stays for another 3 s."""
    place = shell.eval(INDICATOR)
    if not place:
        raise NothingShared("the top bar shows no sharing indicator: nothing is shared")
    with Pointer(bus) as pointer:
        try:
            pointer.click(*place)
        except GLib.Error:
            pass  # The indicator stops all remote control as well: this pointer, between press and release.


def _children(bus, backend, path):
    xml = bus.call_sync(backend, path, "org.freedesktop.DBus.Introspectable", "Introspect", None, None, 0, 2000)
    return [f"{path}/{node.path}" for node in Gio.DBusNodeInfo.new_for_xml(xml.unpack()[0]).nodes]


def close_sessions(bus, backend):
    """End the streams of all shares where there is no top bar: BACKEND, a bus name, is told to close its sessions.

    The streams vanish from PipeWire at once. Unlike the indicator this makes the portal send no Closed.
    """
    sessions = [session for caller in _children(bus, backend, SESSIONS)
                for session in _children(bus, backend, caller)]
    if not sessions:
        raise NothingShared("the portal's backend has no session: nothing is shared")
    for session in sessions:
        bus.call_sync(backend, session, "org.freedesktop.impl.portal.Session", "Close", None, None, 0, 2000)
