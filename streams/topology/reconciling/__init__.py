"""What the engine runs for medlist: the pure reconciler on the facts of one partition."""
