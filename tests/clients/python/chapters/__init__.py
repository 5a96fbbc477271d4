"""The story, chapter by chapter."""
