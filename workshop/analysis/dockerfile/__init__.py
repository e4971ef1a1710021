"""Parse a Dockerfile: its instructions, stages, and the final stage's configuration."""
