"""The providers' requests and answers, one file each."""
