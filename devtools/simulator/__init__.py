"""A provider simulator with real network I/O. No email leaves the machine.

To Mailroom it is a third party's server: it does not use Mailroom's models.
"""
