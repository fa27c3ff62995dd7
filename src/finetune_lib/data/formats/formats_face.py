"""The formats that rows are written in, one file each."""
