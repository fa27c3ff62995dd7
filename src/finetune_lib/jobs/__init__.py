"""Fine-tuning jobs on any platform that speaks OpenAI's protocol: created, followed, and what came of them."""
