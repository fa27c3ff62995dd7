"""Lines and documents of JSON."""
