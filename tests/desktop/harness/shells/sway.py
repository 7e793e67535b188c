"""sway, a wlroots compositor, with xdg-desktop-portal-wlr. No GPU: it draws with pixman into memory."""

import json
import os
import subprocess

from . import shares
from .base import HERE, PortalShell, Refused
from .screenshot import Failed
from .. import parts
from ..person.chooser import Chooser

CONFIG = """xwayland disable
default_border none
output * mode {width}x{height}@60Hz
for_window [title="Portlight.*"] floating enable, border none, move absolute position 0 0
for_window [title="Portlight terminal"] floating enable, border none, move absolute position 970 300
seat * hide_cursor 0
"""
PORTAL = """[screencast]
max_fps=60
chooser_type=simple
chooser_cmd='{here}/desktop-ctl' choose | tr -d '"'
"""
# Says of the compositor what xdg-desktop-portal-wlr up to 0.7 insists on, and needs not. make sway-programs builds it.
SHARED_MEMORY = os.path.join(HERE, "../../build/release/tests/desktop/xdpw_shm.so")
OUTPUT = "HEADLESS-1"
ACTIONS = {"mode": "mode", "transform": "transform", "scale": "scale", "on": "enable", "off": "disable"}


class Sway(PortalShell):
    """Its portal asks by a chooser that is a program of ours, so that nobody has to click."""

    BACKEND = PACKAGE = "xdg-desktop-portal-wlr"
    NAME = "org.freedesktop.impl.portal.desktop.wlr"

    def environment(self, run):
        return {"XDG_SESSION_TYPE": "wayland", "XDG_CURRENT_DESKTOP": "sway", "WAYLAND_DISPLAY": "wayland-1",
                "SWAYSOCK": run + "/sway.sock", "WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman",
                "WLR_LIBINPUT_NO_DEVICES": "1", "WLR_HEADLESS_OUTPUTS": str(self.session.config.monitors)}

    def start(self):
        session = self.session
        if not os.access(SHARED_MEMORY, os.R_OK):
            raise parts.Missing(f"{os.path.relpath(SHARED_MEMORY)} is not built. Remedy: make sway-programs")
        home = session.env["XDG_CONFIG_HOME"]
        width, height = session.config.size
        parts.write(home + "/sway/config", CONFIG.format(width=width, height=height))
        parts.write(home + "/xdg-desktop-portal-wlr/config", PORTAL.format(here=HERE))
        session.start_pipewire()
        session.start("compositor", ["sway", "-c", home + "/sway/config"], "sway")
        session.wait_for_socket("compositor", os.path.join(session.folder, "run/wayland-1"))
        session.say("the compositor is ready")
        self.person = self.dialogs = Chooser(OUTPUT, session.config.consent)
        self.start_portal()

    def backend_command(self):
        config = self.session.env["XDG_CONFIG_HOME"] + "/xdg-desktop-portal-wlr/config"
        return [*super().backend_command(), "-l", "INFO", "-c", config]

    def backend_environment(self):
        return {"LD_PRELOAD": SHARED_MEMORY}

    def choose(self):
        return self.person.choose()

    def stop_shares(self):
        shares.close_sessions(self.session.bus, self.NAME)

    def _run(self, *command):
        try:
            done = subprocess.run(command, env=self.session.env, capture_output=True, text=True, timeout=15, check=False)
        except FileNotFoundError:
            raise Failed(f"{command[0]} is not installed. Remedy: apt-get install {command[0]}") from None
        if done.returncode != 0:
            raise Failed(done.stderr.strip() or done.stdout.strip() or f"{command[0]} failed")
        return done.stdout

    def screenshot(self, path, monitor):
        self._run("grim", "-o", f"HEADLESS-{monitor + 1}", path)

    def output(self, name, action, value):
        if action not in ACTIONS:
            raise Refused(f"no action {action!r}; there are {', '.join(ACTIONS)}")
        self._run("swaymsg", "output", name, ACTIONS[action], *([value] if value else []))
        outputs = json.loads(self._run("swaymsg", "-t", "get_outputs", "-r"))
        return next(output for output in outputs if output["name"] == name)
