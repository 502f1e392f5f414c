"""What people do, one file for each: the rules behind the pages, without a page."""
