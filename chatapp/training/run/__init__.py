"""A run: its folder, its process, and who watches both."""
