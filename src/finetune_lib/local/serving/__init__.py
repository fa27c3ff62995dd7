"""Serving: batched generation, one copy of a base for all its adapters."""
