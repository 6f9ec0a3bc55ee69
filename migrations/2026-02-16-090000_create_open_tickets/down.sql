-- On SQLite an index belongs to the database and is dropped by its name alone.
DROP VIEW open_tickets;
DROP INDEX tickets_open;
