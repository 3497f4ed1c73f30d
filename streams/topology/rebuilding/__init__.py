"""Building state and lists anew from the facts, beside the running stream, and holding the two against each other.

The stream's state is a cache; this is what shows it. A rebuild reads a partition of the fact topic up to the position of
the live state, folds each patient's facts at once with the very core that the stream runs, at the clock that the stream
had there, and compares row by row and list by list. It reads committed records only, joins no group, and disturbs nothing.

`grouping`, `folding` and `comparing` are pure; `reading` and `switching` do the I/O; `partition` puts them together.
"""
