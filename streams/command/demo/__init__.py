"""The demo: one patient's week, as recorded messages, through every real component on this machine."""
