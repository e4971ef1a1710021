"""Greetings, spoken by a dinosaur."""
