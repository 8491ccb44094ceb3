"""How much the moments that were found are believed, once they are looked at beside all else that is known."""
