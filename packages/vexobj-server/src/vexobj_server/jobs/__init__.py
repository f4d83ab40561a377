"""Work done in the background, by one process of all."""
