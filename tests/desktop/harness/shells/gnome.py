"""What a whole GNOME Shell needs beside Mutter's needs, and what the person at it can do with windows."""

import json
import os
import re
import shutil
import subprocess

from gi.repository import GLib

from . import parts

UUID = "with-desktop@portlight"
SETTINGS = """[org/gnome/shell]
enabled-extensions=['{uuid}']
disable-user-extensions=false
welcome-dialog-last-shown-version='999'

[org/gnome/desktop/interface]
enable-animations=false
enable-hot-corners=false

[org/gnome/desktop/session]
idle-delay=uint32 0

[org/gnome/desktop/screensaver]
lock-enabled=false
"""
# The extension evaluates scripts for whoever asks on the private bus, which is how windows are found and handled.
# (The shell's own Eval would need its unsafe mode, and that shows a notification on the desktop.)
EXTENSION = """
const XML = `<node><interface name="{name}">
  <method name="Eval"><arg type="s" direction="in"/><arg type="s" direction="out"/></method></interface></node>`;
const hands = {{
  Eval(script) {{
    const value = new Function('Main', 'return ' + script)(Main);
    return JSON.stringify(value === undefined ? null : value);
  }},
}};
let exported = null;
function take() {{
  exported = Gio.DBusExportedObject.wrapJSObject(XML, hands);
  exported.export(Gio.DBus.session, '{path}');
}}
function leave() {{ exported.unexport(); }}
"""
BEFORE_45 = """const Gio = imports.gi.Gio, Main = imports.ui.main;
{code}
function init() {{}}
function enable() {{ take(); }}
function disable() {{ leave(); }}
"""
SINCE_45 = """import Gio from 'gi://Gio';
import * as Main from 'resource:///org/gnome/shell/ui/main.js';
{code}
export default class {{
  enable() {{ take(); }}
  disable() {{ leave(); }}
}}
"""
HANDS, HANDS_PATH = "org.portlight.Hands", "/org/portlight/Hands"

WINDOWS = """global.get_window_actors().map(a => a.meta_window).filter(w => !w.is_skip_taskbar() || w.get_title())
  .map(w => { const r = w.get_frame_rect(), a = w.get_compositor_private(); return {id: w.get_id(), title: w.get_title(),
    pid: w.get_pid(), x: r.x, y: r.y, width: r.width, height: r.height, app: w.get_wm_class() || '',
    focus: w.has_focus(), shown: Boolean(a && a.mapped)}; })"""


class NoSuchWindow(Exception):
    """No window has the title that was asked for."""


def version():
    """GNOME Shell's major version."""
    if not shutil.which("gnome-shell"):
        raise parts.Missing("gnome-shell is not installed. Remedy: apt-get install gnome-shell")
    text = subprocess.run(["gnome-shell", "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"(\d+)", text)[1])


def configure(env):
    """Write the shell's private settings and extension; returns what the shell has more in its environment."""
    major = version()
    parts.write(os.path.join(env["XDG_CONFIG_HOME"], "glib-2.0/settings/keyfile"), SETTINGS.format(uuid=UUID))
    folder = os.path.join(env["XDG_DATA_HOME"], "gnome-shell/extensions", UUID)
    metadata = {"uuid": UUID, "name": "with-desktop", "description": "Hands for with-desktop",
                "shell-version": [str(major)]}
    parts.write(os.path.join(folder, "metadata.json"), json.dumps(metadata))
    code = EXTENSION.format(name=HANDS, path=HANDS_PATH)
    parts.write(os.path.join(folder, "extension.js"), (SINCE_45 if major >= 45 else BEFORE_45).format(code=code))
    return {"GSETTINGS_BACKEND": "keyfile"}


def start_system_services(session, connect):
    """A stand-in for the system bus, with the mocks of logind and polkit that the shell insists on."""
    path, address = parts.bus_config(session.folder, "system-bus")
    session.start("system-bus", ["dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", "--config-file=" + path],
                  "dbus-daemon")
    session.wait_for_socket("system-bus", os.path.join(session.folder, "run/system-bus"))
    bus = connect(address)
    for template, name in (("logind", "org.freedesktop.login1"), ("polkitd", "org.freedesktop.PolicyKit1")):
        session.start(template, ["/usr/bin/python3", "-B", "-m", "dbusmock", "--system", "--template", template],
                      "python3-dbusmock")
    for template, name in (("logind", "org.freedesktop.login1"), ("polkitd", "org.freedesktop.PolicyKit1")):
        session.wait_for_name(template, name, bus)


class Shell:
    """GNOME Shell's windows, through the extension."""

    def __init__(self, bus):
        self._bus = bus

    def eval(self, script):
        """Evaluate the expression SCRIPT in the shell and return its value."""
        reply = self._bus.call_sync("org.gnome.Shell", HANDS_PATH, HANDS, "Eval", GLib.Variant("(s)", (script,)),
                                    None, 0, 5000)
        return json.loads(reply.unpack()[0])

    def ready(self):
        """Whether the extension is at work and the shell has finished starting."""
        try:
            return self.eval("Main.layoutManager._startingUp === false") is True
        except GLib.Error:
            return False

    def windows(self):
        """All windows with a title, lowest first."""
        return self.eval(WINDOWS)

    def find(self, title):
        """The topmost window with TITLE in its title."""
        for window in reversed(self.windows()):
            if title.lower() in (window["title"] or "").lower():
                return window
        raise NoSuchWindow(f"no window has {title!r} in its title")

    def _with(self, window, action):
        done = self.eval(f"""(() => {{
          const w = global.get_window_actors().map(a => a.meta_window).find(w => w.get_id() === {window['id']});
          if (w) {{ {action}; }}
          return Boolean(w); }})()""")
        if not done:
            raise NoSuchWindow(f"the window {window['title']!r} has gone")

    def move(self, window, x, y):
        """Move the frame's top left corner to (X, Y)."""
        self._with(window, f"w.move_frame(true, {x}, {y})")

    def resize(self, window, width, height):
        """Give the frame a new size."""
        self._with(window, f"w.move_resize_frame(true, {window['x']}, {window['y']}, {width}, {height})")

    def close(self, window):
        """Ask the window to close, as its cross does."""
        self._with(window, "w.delete(global.get_current_time())")

    def minimize(self, window):
        """Hide the window."""
        self._with(window, "w.minimize()")

    def activate(self, window):
        """Raise and focus the window, out of hiding if need be."""
        self._with(window, "w.activate(global.get_current_time())")

    def settled_first(self, title):
        """Put a new window into the top left corner, below the bar, so that those that follow find room beside it.

        Returns whether it is there: the shell places a window itself when it is about to be shown.
        """
        try:
            window = self.find(title)
        except NoSuchWindow:
            return False
        place = (0, self.eval("Main.panel.height"))
        if window["shown"] and (window["x"], window["y"]) != place:
            self.move(window, *place)
        return window["shown"] and (window["x"], window["y"]) == place

    def leave_overview(self):
        """Show the desktop, not the overview that the shell starts in."""
        self.eval("Main.overview.hide()")
