"""A bare X11 display without a portal."""

import contextlib
import os

from . import screenshot
from .base import Shell


class Xvfb(Shell):
    """The X server, and nothing else."""

    def environment(self, run):
        return {"XDG_SESSION_TYPE": "x11", "GDK_BACKEND": "x11"}

    def start(self):
        session = self.session
        read, write = os.pipe()
        width, height = session.config.size
        session.start("xvfb", ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24",
                               "-nolisten", "tcp", "-noreset"], "xvfb", pass_fds=(write,))
        os.close(write)
        os.set_blocking(read, False)
        answer = bytearray()

        def has_display():
            with contextlib.suppress(BlockingIOError):
                answer.extend(os.read(read, 16))
            return answer.endswith(b"\n")

        session.wait_for_part("xvfb", has_display, "a display number")
        os.close(read)
        session.env["DISPLAY"] = ":" + answer.decode().strip()
        session.say(f"Xvfb is ready on {session.env['DISPLAY']}")

    def screenshot(self, path, monitor):
        screenshot.take_x11(self.session.env, path)
