"""A stand-in for a provider on the developer's own machine: real network I/O, no mail to anybody.

It is somebody else's server as far as Mailroom is concerned, and knows nothing of its models.
"""
