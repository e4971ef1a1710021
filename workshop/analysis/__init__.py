"""What can be known of a submission: each module answers for one kind of thing."""
