"""What a Dockerfile says: instructions, stages, and the configuration of the final stage."""
