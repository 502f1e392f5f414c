"""Announce problems outside of Mailroom: by webhook, ping URL and log, never by email."""
