"""The loop that runs all night: feeds into the store, events out of the store, warnings and their clocks.

`watch` brings one feed into the store. `room` is the duty room: whoever holds it looks at everything that comes into the
store, by whatever way, and keeps events and warnings; there is one in a workspace however many feeds run. `back` reads
what was stored before, so that a start in the middle of the night knows what is going on.
"""
