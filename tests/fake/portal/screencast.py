"""The ScreenCast portal's objects on a bus. What becomes of each call is a subclass's matter."""

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
ERROR = "org.freedesktop.portal.Error.Failed"

SCREENCAST = """
<node><interface name="org.freedesktop.portal.ScreenCast">
  <method name="CreateSession"><arg type="a{sv}" direction="in"/><arg type="o" direction="out"/></method>
  <method name="SelectSources"><arg type="o" direction="in"/><arg type="a{sv}" direction="in"/>
    <arg type="o" direction="out"/></method>
  <method name="Start"><arg type="o" direction="in"/><arg type="s" direction="in"/>
    <arg type="a{sv}" direction="in"/><arg type="o" direction="out"/></method>
  <method name="OpenPipeWireRemote"><arg type="o" direction="in"/><arg type="a{sv}" direction="in"/>
    <arg type="h" direction="out"/></method>
  %s
</interface></node>
"""
REQUEST = """
<node><interface name="org.freedesktop.portal.Request"><method name="Close"/>
  <signal name="Response"><arg type="u"/><arg type="a{sv}"/></signal></interface></node>
"""
SESSION = """
<node><interface name="org.freedesktop.portal.Session"><method name="Close"/>
  <signal name="Closed"/></interface></node>
"""
TOKENS = {"request": "handle_token", "session": "session_handle_token"}


def interface_of(xml):
    """The one interface of an introspection text."""
    return Gio.DBusNodeInfo.new_for_xml(xml).interfaces[0]


class ScreenCast:
    """The portal, its requests and its sessions.

    PROPERTIES are those of the interface, all unsigned; OWN_PATHS: "request" or "session": these have other paths than
    their tokens ask for.
    """

    def __init__(self, bus, properties, own_paths=None):
        self.bus = bus
        self.properties = properties
        self.own_paths = own_paths
        self.objects = {}

    def publish(self):
        """Put the portal's interface on the bus."""
        texts = "".join(f'<property name="{name}" type="u" access="read"/>' for name in self.properties)
        self.bus.register_object(
            PATH, interface_of(SCREENCAST % texts), self._handle_call, self.get_property, None
        )

    def get_property(self, _bus, _sender, _path, _interface, name):
        """A property of any interface of the portal's."""
        return GLib.Variant("u", self.properties[name])

    def called(self, method, sender, session, options, invocation):
        """A call of METHOD came; SESSION is the path of its session, None for CreateSession."""
        raise NotImplementedError

    def closed(self, kind, path):
        """The caller closed a request or a session, which is withdrawn afterwards."""

    def export(self, kind, sender, options):
        """Put a request or a session on the bus. Returns its path."""
        own = f"own_{len(self.objects)}"
        name = own if kind == self.own_paths else options[TOKENS[kind]]
        path = f"{PATH}/{kind}/{sender[1:].replace('.', '_')}/{name}"

        def handle_close(_bus, _sender, _path, _interface, _method, _parameters, invocation):
            self.closed(kind, path)
            self.withdraw(path)
            invocation.return_value(None)

        xml = REQUEST if kind == "request" else SESSION
        self.objects[path] = self.bus.register_object(path, interface_of(xml), handle_close, None, None)
        return path

    def withdraw(self, path):
        """Take a request or a session off the bus."""
        registered = self.objects.pop(path, None)
        if registered is not None:
            self.bus.unregister_object(registered)

    def close_session(self, sender, session):
        """End a session from the portal's side."""
        if session in self.objects:
            self.bus.emit_signal(sender, session, "org.freedesktop.portal.Session", "Closed", None)
            self.withdraw(session)

    def respond(self, sender, request, response, results):
        """Answer a request, which ends it."""
        self.withdraw(request)
        answer = GLib.Variant("(ua{sv})", (response, results))
        self.bus.emit_signal(sender, request, "org.freedesktop.portal.Request", "Response", answer)

    @staticmethod
    def return_remote(invocation, remote):
        """Answer OpenPipeWireRemote with a socket, which is closed here."""
        fds = Gio.UnixFDList.new()
        index = fds.append(remote.fileno())
        remote.close()
        invocation.return_value_with_unix_fd_list(GLib.Variant("(h)", (index,)), fds)

    @staticmethod
    def stream(node, size=None, source_type=None):
        """A stream as Start answers it."""
        values = {}
        if size is not None:
            values["size"] = GLib.Variant("(ii)", tuple(size))
        if source_type is not None:
            values["source_type"] = GLib.Variant("u", source_type)
        return (node, values)

    def _handle_call(self, _bus, sender, _path, _interface, method, parameters, invocation):
        arguments = parameters.unpack()
        session = arguments[0] if method != "CreateSession" else None
        self.called(method, sender, session, arguments[-1], invocation)
