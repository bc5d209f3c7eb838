"""What screens are made of: one widget a file, each drawing a frozen view."""
