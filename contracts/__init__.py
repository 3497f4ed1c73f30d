"""The published language: envelope, facts, list, findings, problems, topics. Imports nothing else of ours."""
