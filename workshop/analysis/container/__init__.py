"""The behaviour of a running container or compose stack, observed from outside."""
