"""Pictures and texts into vectors of one space; an encoder is one file or one folder."""
