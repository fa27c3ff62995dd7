"""Training data: read, checked, mended, grown, split and saved."""
