"""How regions are grouped: each method, and all of them behind one function."""
