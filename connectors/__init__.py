"""The rim: one package per protocol or endpoint, telemetry and settings."""
