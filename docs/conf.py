"""Sphinx: the site of flowsim. `make docs` builds it in build/docs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import flowsim

project = "flowsim"
author = "flowsim contributors"
copyright = "flowsim contributors, EUPL-1.2"
release = version = flowsim.__version__
language = "en"

extensions = ["myst_parser", "making.extension"]
exclude_patterns = ["_made", "results", "making"]
root_doc = "index"
myst_heading_anchors = 3  # links such as model.md#7-baseline
myst_enable_extensions = ["attrs_inline", "colon_fence"]

WIDE = ("assumptions", "figures", "files", "first-day", "house", "mutation", "plan-recomputed", "verification-table")

html_theme = "pydata_sphinx_theme"
html_title = "flowsim"
html_static_path = ["_static"]
html_css_files = ["flowsim.css"]
html_show_sourcelink = False
html_copy_source = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": "flowsim"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": {"**": ["page-toc"], **{page: [] for page in WIDE}},
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "use_edit_page_button": False,
    "show_toc_level": 2,
    "navigation_with_keys": False,
}
