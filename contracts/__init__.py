"""The published language: envelope, facts, list, findings, topics, schemas and recordings."""
