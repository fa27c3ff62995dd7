"""What every face is made of: markup, document, style, terminal, words, curve and conversation."""
