"""The kinds of desktop: what is known of each before it is started, and a module each."""

import importlib
from typing import NamedTuple

DENY = ("deny", "ignore")


class Kind(NamedTuple):
    """HINT is for --help. CONSENTS are the answers that its person can give, the usual one first.

    CAN says what may be asked of it: screens, windows (to share them), handle-windows, withdraw (a request takes its
    open dialog along), stop, screenshot, pointer, keyboard, output (to change it).
    """

    hint: str
    consents: tuple = ("screen", *DENY)
    monitors: int = 4
    can: tuple = ()


HANDS = ("keyboard", "pointer", "screens", "screenshot", "stop", "withdraw")
KINDS = {
    "mutter": Kind("bare Wayland desktop with GNOME's portal", can=HANDS),
    "gnome": Kind("a whole GNOME Shell", ("screen", "window", *DENY), can=(*HANDS, "handle-windows", "windows")),
    "sway": Kind("a wlroots compositor with its portal, whose chooser is a script", can=("output", "screens", "screenshot", "stop")),
    "kwin": Kind("KDE's compositor with its portal, which shares what a token restores", DENY, 1,
                 ("handle-windows", "windows", "withdraw")),
    "xvfb": Kind("a bare X11 display, no portal", monitors=1, can=("screenshot",)),
    "scripted": Kind("no compositor, a scripted portal and a fake screen with the marker (make capture-programs builds it)",
                     monitors=1, can=("pointer", "screens", "stop", "withdraw")),
}


def start_of(session):
    """The desktop that SESSION is told to start."""
    name = session.config.shell
    return getattr(importlib.import_module("." + name, __package__), name.capitalize())(session)
