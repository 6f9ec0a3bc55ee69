-- One ALTER does what takes SQLite a rebuild and a trigger. The UPDATE dates existing tickets as
-- SQLite's copy does: the ALTER alone would say that all of them have changed today.
ALTER TABLE tickets
    ADD COLUMN updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
        AFTER created_at;

UPDATE tickets SET updated_at = created_at;
