"""How far clusters hold: without a region or a sector, by other methods, in other sectors, on the map."""
