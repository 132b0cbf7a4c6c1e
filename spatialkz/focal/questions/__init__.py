"""What is asked of a table: whether sectors share regions, and whether broad regions adjoin."""
