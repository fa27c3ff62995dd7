"""How a row is walked: its messages, its turns with their places, its question and answer."""
