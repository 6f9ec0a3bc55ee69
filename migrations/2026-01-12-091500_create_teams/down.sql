-- Children first: with foreign_keys = ON the drop of a parent deletes its rows one by one.
DROP TABLE memberships;
DROP TABLE teams;
