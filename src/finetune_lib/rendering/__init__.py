"""How a conversation becomes the tokens of a base, which of them are learned, and how tokens become an answer again.

One renderer a base serves training, serving, the checks and the preview alike: what is trained is what was meant, and
what is served is what was trained. It takes a tokenizer and knows no weights.
"""
