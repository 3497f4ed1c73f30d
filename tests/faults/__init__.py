"""Random faults against the whole system on a real Kafka, and the proof of what came through.

`load` is a vendor that sends and remembers what was accepted; `nemeses` break things; `members` keeps processes running as
a supervisor would; `counting` counts every application of every fact beside the real core, and is not idempotent;
`evidence` reads everything back; `verdict`, pure, says what was lost, doubled, overtaken or left wrong. `verdict` and
`counting` are tested to see what was planted.
"""
