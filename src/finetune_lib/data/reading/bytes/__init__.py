"""From bytes to UTF-8: kinds of files, encodings, compression."""
