"""Reconciling and its stream: the pure heart (``reconcile``), the topology around it, publishing, the command."""
