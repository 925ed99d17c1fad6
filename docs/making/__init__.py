"""How the site is made: long computations (`evidence`), tables and pages (`tables`, `reference`), figures (`plots`)."""
