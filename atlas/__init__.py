"""What the atlas says: joins, measures, pages, maps and editions."""
