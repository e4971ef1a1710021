"""Greetings from a dinosaur."""
