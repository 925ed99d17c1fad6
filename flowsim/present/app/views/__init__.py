"""The pages of the app, one module each with a function ``page``.

Not called ``pages``: Streamlit takes a folder of that name beside its script for pages of its own.
"""
