"""Four ways in which a table of quotients could have come about, and which of them the table resembles."""
