"""How much the data is, and what training on it costs."""
