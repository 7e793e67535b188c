"""What is on the portal's dialogs, and where: asked of the dialog itself, as a screen reader would.

GTK tells an accessibility registry about its windows. The registry here does just what is needed for that, on the
session bus, and only the portal's backend is told of it.
"""

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.a11y.atspi.Registry"
ROOT = "/org/a11y/atspi/accessible/root"
ACCESSIBLE = "org.a11y.atspi.Accessible"
COMPONENT = "org.a11y.atspi.Component"
SOCKET = """<node><interface name="org.a11y.atspi.Socket">
  <method name="Embed"><arg type="(so)" direction="in"/><arg type="(so)" direction="out"/></method>
  <method name="Unembed"><arg type="(so)" direction="in"/></method>
</interface></node>"""
CHECKED, PRESSED, SELECTED = 4, 20, 23  # of AtspiStateType
BUS = """<node><interface name="org.a11y.Bus"><method name="GetAddress"><arg type="s" direction="out"/></method></interface>
<interface name="org.a11y.Status"><property name="IsEnabled" type="b" access="read"/>
  <property name="ScreenReaderEnabled" type="b" access="read"/></interface></node>"""
BUS_NAME, BUS_PATH = "org.a11y.Bus", "/org/a11y/bus"
RELATIVE_TO_WINDOW = 1


class Item:
    """One thing on a window: role, name, states and its rectangle (x, y, width, height) within the window."""

    def __init__(self, registry, address):
        self._registry = registry
        self.address = address
        self.name = registry.get(address, ACCESSIBLE, "Name")
        self.role = registry.ask(address, ACCESSIBLE, "GetRoleName")[0]
        low, high = registry.ask(address, ACCESSIBLE, "GetState")[0]
        self._states = low | high << 32
        self.rectangle = registry.ask(address, COMPONENT, "GetExtents", GLib.Variant("(u)", (RELATIVE_TO_WINDOW,)))[0]

    def __repr__(self):
        return f"{self.role} {self.name!r} {self.rectangle} {self._states:#x}"

    def __eq__(self, other):
        return isinstance(other, Item) and self.address == other.address

    def __hash__(self):
        return hash(self.address)

    def has(self, state):
        """Whether the item is in STATE."""
        return bool(self._states >> state & 1)

    def visible(self):
        """Whether the item takes up room."""
        return self.rectangle[2] > 1 and self.rectangle[3] > 1

    def below(self):
        """All items inside this one, outer before inner."""
        for child in self._registry.ask(self.address, ACCESSIBLE, "GetChildren")[0]:
            try:
                item = Item(self._registry, child)
            except GLib.Error:
                continue
            yield item
            yield from item.below()


class Registry:
    """The registry on BUS. Make it on the main thread; windows() may be called on any."""

    def __init__(self, bus):
        self._bus = bus
        self._programs = []
        interface = Gio.DBusNodeInfo.new_for_xml(SOCKET).interfaces[0]
        bus.register_object(ROOT, interface, self._called, None, None)
        Gio.bus_own_name_on_connection(bus, NAME, Gio.BusNameOwnerFlags.NONE, None, None)

    def _called(self, _bus, _sender, _path, _interface, method, arguments, invocation):
        program = arguments.unpack()[0]
        if method == "Unembed":
            self._programs = [known for known in self._programs if known != program]
            invocation.return_value(None)
            return
        self._programs.append(program)
        invocation.return_value(GLib.Variant("((so))", ((self._bus.get_unique_name(), ROOT),)))

    def ask(self, address, interface, method, arguments=None):
        """Call METHOD of the accessible object ADDRESS and return the unpacked reply."""
        name, path = address
        return self._bus.call_sync(name, path, interface, method, arguments, None, Gio.DBusCallFlags.NO_AUTO_START,
                                   1000).unpack()

    def get(self, address, interface, name):
        """A property of the accessible object ADDRESS."""
        return self.ask(address, "org.freedesktop.DBus.Properties", "Get", GLib.Variant("(ss)", (interface, name)))[0]

    def windows(self):
        """The visible windows, oldest first."""
        found = []
        for program in self._programs:
            try:
                children = self.ask(program, ACCESSIBLE, "GetChildren")[0]
                items = [Item(self, child) for child in children]
            except GLib.Error:
                continue
            found += [item for item in items if item.visible()]
        return found


def announce(bus, address):
    """Tell Qt's programs, which ask on BUS, that the registry is on the bus at ADDRESS."""
    node = Gio.DBusNodeInfo.new_for_xml(BUS)
    bus.register_object(BUS_PATH, node.interfaces[0],
                        lambda *call: call[6].return_value(GLib.Variant("(s)", (address,))), None, None)
    bus.register_object(BUS_PATH, node.interfaces[1], None, lambda *_: GLib.Variant("b", True), None)
    Gio.bus_own_name_on_connection(bus, BUS_NAME, Gio.BusNameOwnerFlags.NONE, None, None)
