"""The heart: one list from the set of facts. Pure: contracts and standard library only, no clock, no chance, no log.

Rules of the place, in order of weight:

1. The list is a function of the *set* of facts; nothing may depend on the order in which they came.
2. Nothing but ``records`` looks at ``received_at``, and it does so only to cut the set at a time of knowledge.
3. Evidence is stated, never guessed; what is unknown stays unknown and links nothing.
4. Under-merging shows two lines and a finding; over-merging hides a drug. In doubt, two lines.
5. Every value names its facts and its rule.
"""
