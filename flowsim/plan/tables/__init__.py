"""The plan's own tables, recomputed cell by cell; one module per chapter of the transformation plan."""
