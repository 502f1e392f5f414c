"""`make containers`: start the Compose file in a container engine, inject faults, upgrade, check the emails."""
