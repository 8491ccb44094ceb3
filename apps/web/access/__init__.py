"""Who may come in to the page, and how much one client may ask."""
