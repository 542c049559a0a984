"""The adapter for .xlsx: `cells` reads workbooks with suspicion, `gateway` writes and reads packages."""
