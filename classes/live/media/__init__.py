"""Live pictures through Janus: its control (`janus`), and its raw files made playable (`recordings`)."""
