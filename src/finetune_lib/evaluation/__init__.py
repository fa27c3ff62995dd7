"""Candidates side by side on a golden set: asked, scored, judged, and compared by rules that were fixed before."""
