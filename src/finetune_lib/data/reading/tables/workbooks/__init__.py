"""What the files of workbooks tell that their values do not, a file for each kind."""
