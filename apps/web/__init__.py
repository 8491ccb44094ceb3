"""The page: a memory to watch into and to ask, in the browser. Thin over `Session`; Gradio lives only here."""
