-- The seed rows go with their table; the child first, on both sides.
DROP TABLE ticket_tags;
DROP TABLE tags;
