"""Permutations, random orders and p-values: what every test by resampling is made of."""
