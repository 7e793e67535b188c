"""What starts native messaging hosts for browsers in a sandbox, as its sources do it: Ubuntu's early portal, and
xdg-native-messaging-proxy 0.1.0. Both find manifests in the folders of the variables that theirs are tested with."""

import json
import os
import signal

from gi.repository import Gio, GLib

PATH = "/org/freedesktop/portal/desktop"
SESSION = """
<node><interface name="org.freedesktop.portal.Session"><method name="Close"/>
  <signal name="Closed"/></interface></node>
"""
WEB_EXTENSIONS = """
<node><interface name="org.freedesktop.portal.WebExtensions">
  <method name="CreateSession"><arg type="a{sv}" direction="in"/><arg type="o" direction="out"/></method>
  <method name="Start"><arg type="o" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
    <arg type="a{sv}" direction="in"/></method>
  <method name="GetPipes"><arg type="o" direction="in"/><arg type="a{sv}" direction="in"/>
    <arg type="h" direction="out"/><arg type="h" direction="out"/></method>
  <property name="version" type="u" access="read"/></interface></node>
"""
PROXY_NAME = "org.freedesktop.NativeMessagingProxy"
PROXY_PATH = "/org/freedesktop/nativemessagingproxy"
PROXY = """
<node><interface name="org.freedesktop.NativeMessagingProxy">
  <method name="Start"><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
    <arg type="a{sv}" direction="in"/><arg type="h" direction="out"/><arg type="h" direction="out"/>
    <arg type="h" direction="out"/><arg type="o" direction="out"/></method>
  <method name="Close"><arg type="o" direction="in"/><arg type="a{sv}" direction="in"/></method>
  <signal name="Closed"><arg type="o"/><arg type="a{sv}"/></signal>
  <property name="version" type="u" access="read"/></interface></node>
"""


def find_manifest(variable, name):
    """The first manifest of that name: its path, and what it says."""
    for folder in os.environ.get(variable, "").split(":"):
        path = os.path.join(folder, f"{name}.json")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return path, json.load(file)
    raise FileNotFoundError(name)


def spawn(argv, **pipes):
    """Starts a program as GLib's g_spawn_async_with_pipes() and GSubprocess do."""
    flags = GLib.SpawnFlags.DO_NOT_REAP_CHILD
    return GLib.spawn_async(argv, flags=flags, standard_input=True, standard_output=True, **pipes)


def fd_list(fds):
    """Of copies; the caller's stay open."""
    descriptors = Gio.UnixFDList.new()
    for fd in fds:
        descriptors.append(fd)
    return descriptors


class Starter:
    """An interface on the bus whose methods are those of its class."""

    def __init__(self, bus, path, xml):
        self.bus = bus
        self.children = {}
        interface = Gio.DBusNodeInfo.new_for_xml(xml).interfaces[0]
        self.name = interface.name
        bus.register_object(path, interface, self._handle_call, lambda *_: GLib.Variant("u", 1), None)

    def _handle_call(self, _bus, sender, _path, _interface, method, parameters, invocation):
        try:
            getattr(self, method)(sender, invocation, *parameters.unpack())
        except (FileNotFoundError, PermissionError, GLib.Error) as error:
            invocation.return_dbus_error("org.freedesktop.portal.Error.NotFound", str(error))


class WebExtensions(Starter):
    """The portal: it starts the host without arguments, and ends it by SIGTERM."""

    def __init__(self, bus):
        super().__init__(bus, PATH, WEB_EXTENSIONS)
        self.pipes = {}

    def CreateSession(self, sender, invocation, _options):  # noqa: N802
        session = f"{PATH}/session/web_extensions_{len(self.children)}"
        self.children[session] = None
        interface = Gio.DBusNodeInfo.new_for_xml(SESSION).interfaces[0]

        def close(*arguments):
            self.end(session)
            arguments[-1].return_value(None)

        self.bus.register_object(session, interface, close, None, None)
        # The real one ends the sessions of whoever leaves the bus, too.
        Gio.bus_watch_name_on_connection(
            self.bus, sender, Gio.BusNameWatcherFlags.NONE, None, lambda *_: self.end(session)
        )
        invocation.return_value(GLib.Variant("(o)", (session,)))

    def Start(self, _sender, invocation, session, name, extension, _options):  # noqa: N802
        _path, manifest = find_manifest("XDG_DESKTOP_PORTAL_WEB_EXTENSIONS_PATH", name)
        if extension not in manifest.get("allowed_extensions", []) + manifest.get("allowed_origins", []):
            raise PermissionError(extension)
        pid, stdin, stdout, _stderr = spawn([manifest["path"]])
        self.children[session] = pid
        self.pipes[session] = [stdin, stdout]
        GLib.child_watch_add(GLib.PRIORITY_DEFAULT, pid, lambda *_: self.exited(session))
        invocation.return_value(None)

    def GetPipes(self, _sender, invocation, session, _options):  # noqa: N802
        invocation.return_value_with_unix_fd_list(GLib.Variant("(hh)", (0, 1)), fd_list(self.pipes[session]))

    def end(self, session):
        if self.children.get(session) is not None:
            os.kill(self.children[session], signal.SIGTERM)

    def exited(self, session):
        """Only now it closes its own ends of the pipes."""
        self.children[session] = None
        for fd in self.pipes.pop(session):
            os.close(fd)
        self.bus.emit_signal(None, session, "org.freedesktop.portal.Session", "Closed", None)


class Proxy(Starter):
    """The proxy: it starts the host with a browser's arguments, whatever the extension, and ends it by SIGKILL."""

    def __init__(self, bus):
        super().__init__(bus, PROXY_PATH, PROXY)
        Gio.bus_own_name_on_connection(bus, PROXY_NAME, Gio.BusNameOwnerFlags.NONE, None, None)

    def Start(self, sender, invocation, name, extension, mode, _options):  # noqa: N802
        path, manifest = find_manifest("XNMP_HOST_LOCATIONS", name)
        argv = [manifest["path"], *([path] if mode == "mozilla" else []), extension]
        pid, *pipes = spawn(argv, standard_error=True)
        handle = f"{PROXY_PATH}/{len(self.children)}"
        self.children[handle] = pid
        GLib.child_watch_add(GLib.PRIORITY_DEFAULT, pid, lambda *_: self.exited(sender, handle))
        answer = GLib.Variant("(hhho)", (0, 1, 2, handle))
        invocation.return_value_with_unix_fd_list(answer, fd_list(pipes))
        for fd in pipes:
            os.close(fd)

    def Close(self, _sender, invocation, handle, _options):  # noqa: N802
        if self.children[handle] is not None:
            os.kill(self.children[handle], signal.SIGKILL)
        invocation.return_value(None)

    def exited(self, sender, handle):
        self.children[handle] = None
        self.bus.emit_signal(sender, PROXY_PATH, self.name, "Closed", GLib.Variant("(oa{sv})", (handle, {})))
