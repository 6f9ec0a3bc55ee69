-- Neither refers to the other: the order is that of up.sql, reversed.
DROP TABLE attachments;
DROP TABLE comments;
