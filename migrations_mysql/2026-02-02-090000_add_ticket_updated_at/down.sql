-- ON UPDATE CURRENT_TIMESTAMP is part of the column here; on SQLite it is a trigger to drop first.
ALTER TABLE tickets DROP COLUMN updated_at;
