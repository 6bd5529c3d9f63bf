"""Rules, and the graded warnings they raise. Pure: rows in, rows out; no files, no clock, no database.

`rules`: a rule's life (`written`: as people write it; `backtest`: on stored history). `warnings`: events become warnings
(`fresh`: new ones, by hand too). `grade`: how probable, how grave. `route`: who is told. `clocks`: what is due. `actions`:
what people do with a warning. `counts`: what came of them. Rows are plain values as `store.revisions` keeps them: times ms
UTC, lists as tuples.
"""
