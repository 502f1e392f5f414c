"""How the providers' requests read and how their answers look, one file each."""
