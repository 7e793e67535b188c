"""Bare Mutter with GNOME's portal."""

import os

from . import screenshot, shares
from .base import PortalShell
from .. import parts
from ..person import accessibility, consent, watch
from ..person.pointer import Pointer


class Mutter(PortalShell):
    """Plain Mutter tells nobody of windows, and puts a new dialog in the middle of the first monitor."""

    PROGRAM = "mutter"
    BACKEND = PACKAGE = "xdg-desktop-portal-gnome"
    NAME = "org.freedesktop.impl.portal.desktop.gnome"
    # From 48 on windows would be in the middle.
    SETTINGS = """[org/gnome/mutter]
center-new-windows=false
"""

    def environment(self, run):
        return {"XDG_SESSION_TYPE": "wayland", "XDG_CURRENT_DESKTOP": "GNOME", "WAYLAND_DISPLAY": "wayland-0",
                "GSETTINGS_BACKEND": "keyfile"}

    def start(self):
        session, config = self.session, self.session.config
        session.start_pipewire()
        parts.write(os.path.join(session.env["XDG_CONFIG_HOME"], "glib-2.0/settings/keyfile"), self.SETTINGS)
        command = [self.PROGRAM, "--headless", "--wayland", "--no-x11", "--wayland-display", "wayland-0"]
        for _ in range(config.monitors):
            command += ["--virtual-monitor", f"{config.size[0]}x{config.size[1]}"]
        session.start("compositor", command, self.PROGRAM)
        session.wait_for_socket("compositor", os.path.join(session.folder, "run/wayland-0"))
        session.wait_for_name("compositor", "org.gnome.Mutter.ScreenCast")
        session.wait_for_name("compositor", "org.gnome.Mutter.RemoteDesktop")
        session.say("the compositor is ready")
        self._compositor_started()
        self.start_portal()
        registry = accessibility.Registry(session.bus)
        width, height = config.size
        self.person = consent.Person(session.bus, registry, self._where, (width - 2, height - 2), session.say,
                                     config.consent)
        self.dialogs = watch.start(session, session.env["DBUS_SESSION_BUS_ADDRESS"], self.NAME,
                                   self.person.dialog_opened)

    def _compositor_started(self):
        """Whatever the compositor needs before the portal."""

    def _where(self, window):
        """Where on the desktop the top left corner of the dialog WINDOW is."""
        width, height = self.session.config.size
        return (width - window.rectangle[2]) // 2, (height - window.rectangle[3]) // 2

    def backend_environment(self):
        return {"GTK_A11Y": "atspi", "AT_SPI_BUS_ADDRESS": self.session.env["DBUS_SESSION_BUS_ADDRESS"]}

    def marker_options(self, at_start):
        width, height = self.session.config.size
        return super().marker_options(at_start) + (["--backdrop", f"{width}x{height}"] if at_start else [])

    def stop_shares(self):
        shares.close_sessions(self.session.bus, self.NAME)

    def screenshot(self, path, monitor):
        screenshot.take(self.session.bus, self.session.env, path, monitor)

    def click(self, x, y):
        # Not before the person, who answered a dialog just now, has put the pointer away.
        with self.person.hand, Pointer(self.session.bus) as pointer:
            pointer.click(x, y)

    def key(self, keysyms):
        with self.person.hand, Pointer(self.session.bus) as pointer:
            pointer.key(keysyms)
