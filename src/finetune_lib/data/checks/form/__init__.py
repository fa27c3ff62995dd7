"""The form of a row: what a platform refuses or misreads."""
