"""`make demo`: a scripted end-to-end run without faults, with a pass/fail report and an inline comparison."""
