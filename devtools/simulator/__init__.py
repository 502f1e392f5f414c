"""A provider on the developer's machine: real network I/O, no email leaves the machine.

To Mailroom it is a foreign server; it knows nothing of Mailroom's models.
"""
