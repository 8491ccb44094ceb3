"""The default encoder: networks that PyPI packages ship, and a small head trained on captions."""
