"""The application that every Dockerfile here packages."""
