"""What a running container or compose stack does, observed from outside."""
