"""What is measured of the built site, beside the usual way; the results stand in the README."""
