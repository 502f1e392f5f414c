"""`make prove`: people are told "done" while everything is harmed; afterwards the providers' journals must agree."""
