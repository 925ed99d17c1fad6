"""Plots."""
def save_plots(folder, answer, tables, lang): pass
