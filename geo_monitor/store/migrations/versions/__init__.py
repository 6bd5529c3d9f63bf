"""One step a file; a step never changes once a workspace has gone through it."""
