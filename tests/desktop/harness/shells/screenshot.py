"""A picture of a monitor, over Mutter's own screen cast, which asks nobody."""

import subprocess
import threading

from gi.repository import GLib

NAME = "org.gnome.Mutter.ScreenCast"
PATH = "/org/gnome/Mutter/ScreenCast"


class Failed(Exception):
    """No picture; the text says why."""


def connectors(bus):
    """The monitors' connectors, in the order of their positions."""
    state = bus.call_sync("org.gnome.Mutter.DisplayConfig", "/org/gnome/Mutter/DisplayConfig",
                          "org.gnome.Mutter.DisplayConfig", "GetCurrentState", None, None, 0, 5000).unpack()
    logical = sorted(state[2], key=lambda monitor: (monitor[0], monitor[1]))
    return [monitor[5][0][0] for monitor in logical]


def _encode(env, source, path):
    pipeline = ["gst-launch-1.0", "-q", *source, "num-buffers=1", "!", "video/x-raw", "!", "videoconvert", "!",
                "pngenc", "!", "filesink", f"location={path}"]
    try:
        done = subprocess.run(pipeline, env=env, capture_output=True, text=True, timeout=15, check=False)
    except FileNotFoundError:
        raise Failed("gst-launch-1.0 is not installed. Remedy: apt-get install gstreamer1.0-tools "
                     "gstreamer1.0-pipewire gstreamer1.0-plugins-base gstreamer1.0-plugins-good") from None
    except subprocess.TimeoutExpired:
        raise Failed("the desktop gave no frame in 15 s") from None
    if done.returncode != 0:
        raise Failed(done.stderr.strip() or "gst-launch-1.0 failed")


def take_x11(env, path):
    """Write a PNG of the X11 display to PATH."""
    _encode(env, ["ximagesrc", "use-damage=false"], path)


def take(bus, env, path, monitor=0):
    """Write a PNG of the monitor with number MONITOR to PATH. Call on a thread beside the main loop's."""
    names = connectors(bus)
    if monitor >= len(names):
        raise Failed(f"there is no monitor {monitor}; there are {len(names)}")
    options = GLib.Variant("(a{sv})", ({},))
    session = bus.call_sync(NAME, PATH, NAME, "CreateSession", options, None, 0, 5000).unpack()[0]
    try:
        arguments = GLib.Variant("(sa{sv})", (names[monitor], {"cursor-mode": GLib.Variant("u", 1)}))
        stream = bus.call_sync(NAME, session, NAME + ".Session", "RecordMonitor", arguments, None, 0, 5000).unpack()[0]
        node, added = [], threading.Event()

        def stream_added(*signal):
            node.append(signal[5].unpack()[0])
            added.set()

        watch = bus.signal_subscribe(NAME, NAME + ".Stream", "PipeWireStreamAdded", stream, None, 0, stream_added)
        bus.call_sync(NAME, session, NAME + ".Session", "Start", None, None, 0, 5000)
        if not added.wait(5):
            raise Failed("the screen cast did not start in 5 s")
        bus.signal_unsubscribe(watch)
        _encode(env, ["pipewiresrc", f"path={node[0]}"], path)
    finally:
        bus.call_sync(NAME, session, NAME + ".Session", "Stop", None, None, 0, 5000)
