"""What each kind of desktop is made of: commands, environments, private configuration files."""

import glob
import os

from gi.repository import Gio

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_message_size">1000000000</limit>
  <limit name="reply_timeout">600000</limit>
</busconfig>
"""

# Only what a desktop of ours needs is started on demand: above all no document portal, which would mount a file system.
SERVICE = "[D-BUS Service]\nName={name}\nExec={program}\n"
ON_DEMAND = {"org.freedesktop.impl.portal.PermissionStore": "xdg-permission-store"}

# A second WirePlumber on a person's machine must keep its hands off the sound cards and cameras.
NO_DEVICES = ("alsa_monitor.enabled = false\nv4l2_monitor.enabled = false\n"
              "if libcamera_monitor then libcamera_monitor.enabled = false end\n")
NO_BLUETOOTH = "bluez_monitor.enabled = false\n"
NO_DEVICES_CONF = """wireplumber.profiles = {
  main = { hardware.audio = disabled, hardware.bluetooth = disabled, hardware.video-capture = disabled }
}
"""

LIBEXEC = ("/usr/libexec", "/usr/lib", "/usr/local/libexec", *glob.glob("/usr/lib/*/libexec"))


class Missing(Exception):
    """A program that the desktop needs is not installed; the text says which package has it."""


def libexec(program, package):
    """The path of a helper program that is not in PATH."""
    for folder in LIBEXEC:
        path = os.path.join(folder, program)
        if os.access(path, os.X_OK):
            return path
    raise Missing(f"{program} is not installed. Remedy: apt-get install {package}")


def write(path, text):
    """Write TEXT to PATH, making its folder."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def bus_config(folder, name):
    """Write the configuration of a private bus; returns (path of the file, address)."""
    services = os.path.join(folder, "services", name)
    os.makedirs(services, exist_ok=True)
    if name == "bus":
        for service, program in ON_DEMAND.items():
            write(os.path.join(services, service + ".service"),
                  SERVICE.format(name=service, program=libexec(program, "xdg-desktop-portal")))
    socket = os.path.join(folder, "run", name)
    path = os.path.join(folder, "services", name + ".conf")
    write(path, BUS.format(socket=socket, services=services))
    return path, "unix:path=" + socket


def wireplumber_config(home):
    """Tell WirePlumber, 0.4 and 0.5, to leave devices alone."""
    folder = os.path.join(home, ".config/wireplumber")
    write(os.path.join(folder, "main.lua.d/51-no-devices.lua"), NO_DEVICES)
    write(os.path.join(folder, "bluetooth.lua.d/51-no-devices.lua"), NO_BLUETOOTH)
    write(os.path.join(folder, "wireplumber.conf.d/51-no-devices.conf"), NO_DEVICES_CONF)


def connect(address):
    """A connection to the bus at ADDRESS, not shared with anybody."""
    flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    return Gio.DBusConnection.new_for_address_sync(address, flags, None, None)


def environment(folder, out=None):
    """The environment that every part and CMD share. The caller's variables stay, its session does not."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("XDG_", "DBUS_", "WAYLAND_", "PIPEWIRE_", "GNOME_", "KDE_", "QT_", "SWAY", "WLR_", "AT_SPI_"))
           and name not in ("DISPLAY", "XAUTHORITY", "SESSION_MANAGER", "SSH_AUTH_SOCK", "ICEAUTHORITY")}
    home, run = os.path.join(folder, "home"), os.path.join(folder, "run")
    env |= {
        "HOME": home, "USER": os.environ.get("USER", "nobody") if os.getuid() < 65534 else "nobody",
        "XDG_RUNTIME_DIR": run, "XDG_CONFIG_HOME": home + "/.config", "XDG_CACHE_HOME": home + "/.cache",
        "XDG_DATA_HOME": home + "/.local/share", "XDG_STATE_HOME": home + "/.local/state",
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={run}/bus",
        # Nothing here may talk to the machine's own services; some desktops get a bus of their own in this place.
        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={run}/system-bus",
        "GSETTINGS_BACKEND": "memory", "NO_AT_BRIDGE": "1", "GTK_A11Y": "none",
        **({"PORTLIGHT_OUT": out} if out else {}), "TMPDIR": folder + "/tmp", "PORTLIGHT_TMP": folder + "/tmp", "PORTLIGHT_DESKTOP": run + "/desktop",
    }
    env["LOGNAME"] = env["USER"]
    # Folders of root's own in PATH only make programs that look further fail.
    env["PATH"] = ":".join(path for path in env.get("PATH", os.defpath).split(":") if os.access(path, os.X_OK))
    return env
