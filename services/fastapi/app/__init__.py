"""The application that every Dockerfile here packs."""
