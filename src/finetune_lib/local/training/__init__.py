"""Training on TRL: from rows to tokens and labels, the recipe of a base, and what happens at each step."""
