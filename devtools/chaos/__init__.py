"""`make prove`: inject faults while people sign up, and check that every acknowledged request was delivered."""
