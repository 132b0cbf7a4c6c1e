"""What is known of candidates and areas: evidence that is scored, and context that stands beside it."""
