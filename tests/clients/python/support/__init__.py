"""What the chapters of the story stand on."""
