-- Needs no rebuild: SQLite drops a column (3.35 and later) once no trigger names it. The
-- transaction is its own, as metadata.toml speaks for both files.
BEGIN;
DROP TRIGGER tickets_touch;
ALTER TABLE tickets DROP COLUMN updated_at;
COMMIT;
