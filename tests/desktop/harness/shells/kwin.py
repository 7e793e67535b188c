"""KWin with KDE's portal. It draws by llvmpipe, without a device.

Its dialog lets nobody but a hand choose: the cards of screens and windows have no action for screen readers. So a share
is granted by a restore token that is written beforehand, as if the person had chosen that window at an earlier time.
"""

import os
import shutil
import struct
import uuid

from gi.repository import GLib

from . import mocks
from .base import PortalShell, Refused
from .. import parts
from ..person import accessibility, watch
from ..person.screen_reader import ScreenReader

STORE, STORE_PATH = "org.freedesktop.impl.portal.PermissionStore", "/org/freedesktop/impl/portal/PermissionStore"
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

    def restore_token(self, title):
        matches = self.session.bus.call_sync("org.kde.KWin", "/WindowsRunner", "org.kde.krunner1", "Match",
                                             GLib.Variant("(s)", (title,)), None, 0, 5000).unpack()[0]
        if not matches:
            raise Refused(f"no window has {title!r} in its title")
        window = matches[0][0].split("_", 1)[1]
        token = str(uuid.uuid4())
        choice = GLib.Variant("(suv)", ("KDE", 1, GLib.Variant("ay", _windows_chosen([window]))))
        self.session.bus.call_sync(STORE, STORE_PATH, STORE, "Set",
                                   GLib.Variant("(sbsa{sas}v)", ("screencast", True, token, {"": ["yes"]}, choice)),
                                   None, 0, 5000)
        return token
