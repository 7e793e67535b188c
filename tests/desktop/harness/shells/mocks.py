"""A stand-in for the system bus, with mocks of the services that a compositor insists on."""

import os

from .. import parts

NAMES = {"logind": "org.freedesktop.login1", "polkitd": "org.freedesktop.PolicyKit1"}


def start(session, *templates):
    """Start it with python3-dbusmock's TEMPLATES as parts of SESSION."""
    path, address = parts.bus_config(session.folder, "system-bus")
    session.start("system-bus", ["dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", "--config-file=" + path],
                  "dbus-daemon")
    session.wait_for_socket("system-bus", os.path.join(session.folder, "run/system-bus"))
    bus = parts.connect(address)
    for template in templates:
        session.start(template, ["/usr/bin/python3", "-B", "-m", "dbusmock", "--system", "--template", template],
                      "python3-dbusmock")
    for template in templates:
        session.wait_for_name(template, NAMES[template], bus)
