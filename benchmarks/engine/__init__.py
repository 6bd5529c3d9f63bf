"""How fast the main job is: ours beside other engines on the same data, as multiples of reading the columns it needs."""
