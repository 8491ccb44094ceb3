"""What each view of the page asks for and changes: routes below /hippocam/, with JSON."""
