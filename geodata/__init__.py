"""What the atlas holds, and how far each row is trusted."""
