-- Children first: the server refuses to drop a table that a foreign key refers to, rows or not.
DROP TABLE memberships;
DROP TABLE teams;
