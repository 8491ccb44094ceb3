"""The HTTP interface beside the page: what the library does, as JSON over HTTP."""
