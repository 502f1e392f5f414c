"""How the providers report what became of a mail: their events, their signatures, their patience."""
