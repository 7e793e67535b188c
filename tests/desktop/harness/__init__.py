"""The parts of with-desktop. See tests/desktop/README.md."""
