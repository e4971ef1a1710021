"""A to-do list, kept in a database and shown on one page."""
