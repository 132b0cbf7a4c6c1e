"""From a file to a table: the grid of its cells, where the table stands in it, and its numbers."""
