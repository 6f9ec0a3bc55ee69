-- sqlite_sequence, which AUTOINCREMENT brought, cannot be dropped; SQLite empties it itself.
DROP TABLE users;
