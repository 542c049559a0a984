"""The database engine of the supervision login: PostgreSQL, read without the columns it may not read."""
