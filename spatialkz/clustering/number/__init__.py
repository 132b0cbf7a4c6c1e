"""How many clusters, if any: criteria, the gap statistic, and a test against data without clusters."""
