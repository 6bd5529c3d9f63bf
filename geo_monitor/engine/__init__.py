"""The main job over any number of positions: one block of days after the other, the same work here and on a cluster.

`blocks` cuts what is held into blocks, `work` says what one block gives, `kept` keeps that, `local` runs blocks on this
machine, `spark` on a cluster. Every engine gives the same tables to the last bit.
"""
