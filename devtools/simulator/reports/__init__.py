"""The providers' webhooks: events, signatures and retries, one file each."""
