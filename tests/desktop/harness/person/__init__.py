"""The person at a GNOME desktop: eyes, hands, and what they do with share dialogs."""
