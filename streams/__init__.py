"""The heart and its engine: reconcile decides purely, topology moves facts, command runs both."""
