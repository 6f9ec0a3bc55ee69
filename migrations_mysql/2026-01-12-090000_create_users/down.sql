-- The AUTO_INCREMENT counter lives in the table and goes with it, unlike SQLite's.
DROP TABLE users;
