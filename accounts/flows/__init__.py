"""What users do, one file for each flow: the rules behind the pages."""
