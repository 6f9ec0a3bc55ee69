-- The indexes go with the table, on both sides.
DROP TABLE tickets;
