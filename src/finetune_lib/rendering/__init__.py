"""How values look: terminal text, notebook HTML, report pages and curves. Pure functions from values to text."""
