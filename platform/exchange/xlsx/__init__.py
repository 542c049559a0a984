"""The adapter that speaks .xlsx: `cells` reads workbooks with suspicion, `gateway` writes and reads packages."""
