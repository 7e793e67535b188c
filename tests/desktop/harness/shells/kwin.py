"""KWin with KDE's portal. It draws by llvmpipe, without a device.

Its dialog lets nobody but a hand choose: the cards of screens and windows have no action for screen readers. So a share
is granted by a restore token that is written beforehand, as if the person had chosen that window at an earlier time.
"""

import json
import os
import shutil
import struct
import uuid

from gi.repository import GLib

from . import mocks
from .base import PortalShell
from .. import parts
from ..person import accessibility, watch
from ..person.consent import NoSuchWindow
from ..person.screen_reader import ScreenReader

STORE, STORE_PATH = "org.freedesktop.impl.portal.PermissionStore", "/org/freedesktop/impl/portal/PermissionStore"
KWIN, SCRIPTS = "org.kde.KWin", "org.kde.kwin.Scripting"
# What a person does to a window, by https://develop.kde.org/docs/plasma/kwin/api/ of Plasma 5.27.
ACTIONS = {
    "move": "w.frameGeometry = {{x: {0}, y: {1}, width: w.frameGeometry.width, height: w.frameGeometry.height}}",
    "resize": "w.frameGeometry = {{x: w.frameGeometry.x, y: w.frameGeometry.y, width: {0}, height: {1}}}",
    "close": "w.closeWindow()",
    "minimize": "w.minimized = true",
    "activate": "workspace.activeClient = w",
}
# QDataStream's type ids and sizes: https://doc.qt.io/qt-5/qmetatype.html#Type-enum, datastreamformat.html.
STRING_LIST, VARIANT_LIST = 11, 9


def _string(text):
    data = text.encode("utf-16-be")
    return struct.pack(">I", len(data)) + data


def _windows_chosen(windows):
    """What KDE's portal keeps of a choice: a QVariantMap of the windows' ids and of no outputs."""
    chosen = struct.pack(">I", len(windows)) + b"".join(_string(window) for window in windows)
    return (struct.pack(">I", 2) + _string("windows") + struct.pack(">IB", STRING_LIST, 0) + chosen
            + _string("outputs") + struct.pack(">IBI", VARIANT_LIST, 0, 0))


class Kwin(PortalShell):
    """Windows alone: its virtual monitor's stream never gets a picture, whoever asks."""

    BACKEND = PACKAGE = "xdg-desktop-portal-kde"
    NAME = "org.freedesktop.impl.portal.desktop.kde"

    def environment(self, run):
        return {"XDG_SESSION_TYPE": "wayland", "XDG_CURRENT_DESKTOP": "KDE", "WAYLAND_DISPLAY": "wayland-0",
                "KDE_FULL_SESSION": "true", "KDE_SESSION_VERSION": "5", "QT_QPA_PLATFORM": "wayland",
                # Else it hides the protocol that its portal shares by.
                "KWIN_WAYLAND_NO_PERMISSION_CHECKS": "1"}

    def start(self):
        session, (width, height) = self.session, self.session.config.size
        installed = shutil.which("kwin_wayland")
        if not installed:
            raise parts.Missing("kwin_wayland is not installed. Remedy: packaging/install-deps kde")
        # Without a system bus it aborts.
        mocks.start(session, "logind")
        session.start_pipewire()
        # Debian's has a file capability, which no container grants: a copy has none.
        program = shutil.copy(installed, session.folder)
        session.start("compositor", [program, "--virtual", "--width", str(width), "--height", str(height), "--socket",
                                     "wayland-0", "--no-lockscreen", "--no-global-shortcuts"], "kwin-wayland")
        session.wait_for_socket("compositor", os.path.join(session.folder, "run/wayland-0"))
        session.say("the compositor is ready")
        address = session.env["DBUS_SESSION_BUS_ADDRESS"]
        registry = accessibility.Registry(session.bus)
        accessibility.announce(session.bus, address)
        # Its portal is a program that tells about its dialogs; the others are not asked to.
        session.env.pop("NO_AT_BRIDGE", None)
        self.start_portal()
        session.env["NO_AT_BRIDGE"] = "1"
        self.person = ScreenReader(session.bus, registry, session.say, session.config.consent)
        self.dialogs = watch.start(session, address, self.NAME, self.person.dialog_opened)

    def backend_environment(self):
        return {"AT_SPI_BUS_ADDRESS": self.session.env["DBUS_SESSION_BUS_ADDRESS"],
                "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1"}

    def _call(self, path, interface, method, arguments=None):
        return self.session.bus.call_sync(KWIN, path, interface, method, arguments, None, 0, 5000).unpack()

    def _id_of(self, title):
        matches = self._call("/WindowsRunner", "org.kde.krunner1", "Match", GLib.Variant("(s)", (title,)))[0]
        if not matches:
            raise NoSuchWindow(f"no window has {title!r} in its title")
        return matches[0][0].split("_", 1)[1]

    def find(self, title):
        """The window with TITLE in its title."""
        info = self._call("/KWin", KWIN, "getWindowInfo", GLib.Variant("(s)", (self._id_of(title),)))[0]
        return {"title": info["caption"]} | {key: round(info[key]) for key in ("x", "y", "width", "height")}

    def handle(self, action, title, *values):
        window = json.dumps(self._id_of(title))
        path = os.path.join(self.session.folder, "tmp/hands.js")
        parts.write(path, f"workspace.clientList().filter(w => String(w.internalId) === {window})"
                          f".forEach(w => {{ {ACTIONS[action].format(*values)}; }});\n")
        script = self._call("/Scripting", SCRIPTS, "loadScript", GLib.Variant("(s)", (path,)))[0]
        self._call(f"/{script}", "org.kde.kwin.Script", "run")
        self._call("/Scripting", SCRIPTS, "unloadScript", GLib.Variant("(s)", (path,)))
        if action == "close":
            return None
        return self._obeyed(action, title, values)

    def restore_token(self, title):
        window = self._id_of(title)
        token = str(uuid.uuid4())
        choice = GLib.Variant("(suv)", ("KDE", 1, GLib.Variant("ay", _windows_chosen([window]))))
        self.session.bus.call_sync(STORE, STORE_PATH, STORE, "Set",
                                   GLib.Variant("(sbsa{sas}v)", ("screencast", True, token, {"": ["yes"]}, choice)),
                                   None, 0, 5000)
        return token
