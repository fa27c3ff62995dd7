"""Examples as a page and in a notebook."""
