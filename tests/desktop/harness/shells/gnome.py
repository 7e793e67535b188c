"""A whole GNOME Shell: what it needs beside Mutter's needs, and what the person at it can do with windows."""

import json
import os
import re
import shutil
import subprocess

from gi.repository import GLib

from . import mocks, shares
from .mutter import Mutter
from .. import parts
from ..person.consent import NoSuchWindow

UUID = "with-desktop@portlight"
SETTINGS = """
[org/gnome/shell]
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

# Close is what its cross does; activate raises and focuses it, out of hiding if need be.
ACTIONS = {
    "move": "w.move_frame(true, {0}, {1})",
    "resize": "w.move_resize_frame(true, {x}, {y}, {0}, {1})",
    "close": "w.delete(global.get_current_time())",
    "minimize": "w.minimize()",
    "activate": "w.activate(global.get_current_time())",
}


def version():
    """GNOME Shell's major version."""
    if not shutil.which("gnome-shell"):
        raise parts.Missing("gnome-shell is not installed. Remedy: apt-get install gnome-shell")
    text = subprocess.run(["gnome-shell", "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"(\d+)", text)[1])


def configure(env):
    """Write the shell's private extension."""
    major = version()
    folder = os.path.join(env["XDG_DATA_HOME"], "gnome-shell/extensions", UUID)
    metadata = {"uuid": UUID, "name": "with-desktop", "description": "Hands for with-desktop",
                "shell-version": [str(major)]}
    parts.write(os.path.join(folder, "metadata.json"), json.dumps(metadata))
    code = EXTENSION.format(name=HANDS, path=HANDS_PATH)
    parts.write(os.path.join(folder, "extension.js"), (SINCE_45 if major >= 45 else BEFORE_45).format(code=code))


class Gnome(Mutter):
    """GNOME Shell; its windows are handled through the extension."""

    PROGRAM = "gnome-shell"
    SETTINGS = Mutter.SETTINGS + SETTINGS.format(uuid=UUID)

    def start(self):
        configure(self.session.env)
        mocks.start(self.session, "logind", "polkitd")
        super().start()

    def _compositor_started(self):
        self.session.wait_for_part("compositor", self.ready, "a started GNOME Shell")
        self.eval("Main.overview.hide()")  # The shell starts in it.

    def _where(self, window):
        frame = self.find(window.name)
        if not frame["shown"]:
            raise NoSuchWindow(f"the dialog {window.name!r} is not shown yet")
        return frame["x"], frame["y"]

    def marker_options(self, at_start):
        return []

    def stop_shares(self):
        with self.person.hand:
            shares.click_indicator(self.session.bus, self)

    def eval(self, script):
        """Evaluate the expression SCRIPT in the shell and return its value."""
        reply = self.session.bus.call_sync("org.gnome.Shell", HANDS_PATH, HANDS, "Eval", GLib.Variant("(s)", (script,)),
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

    def handle(self, action, title, *values):
        window = self.find(title)
        self._with(window, ACTIONS[action].format(*values, **window))
        if action == "close":
            return None
        return self._obeyed(action, title, values)

    def marker_is_placed(self, title):
        """Put it into the top left corner, below the bar, so that windows that follow find room beside it.

        The shell places a window itself when it is about to be shown.
        """
        try:
            window = self.find(title)
        except NoSuchWindow:
            return False
        place = (0, self.eval("Main.panel.height"))
        if window["shown"] and (window["x"], window["y"]) != place:
            self._with(window, ACTIONS["move"].format(*place))
        return window["shown"] and (window["x"], window["y"]) == place and self._is_offered(window)

    def _is_offered(self, window):
        """Whether the portal is told of the window. GNOME 43's asks once for each dialog, and the shell may be late."""
        return self.eval("imports.gi.Shell.AppSystem.get_default().get_running()"
                         f".some(app => app.get_windows().some(w => w.get_id() === {window['id']}))")
