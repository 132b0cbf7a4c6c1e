"""How candidates and areas are scored, and how far their ranks can be trusted."""
