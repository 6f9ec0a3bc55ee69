-- NOT NULL and the action of a foreign key are part of CREATE TABLE: SQLite alters neither. Nothing
-- refers to attachments, so the rebuild stays inside the runner's transaction.
CREATE TABLE attachments_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    ticket_id BIGINT NOT NULL,
    uploader_id BIGINT,
    file_name VARCHAR(255) NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 CHAR(64) NOT NULL,
    content BLOB NOT NULL,
    CONSTRAINT attachments_once UNIQUE (ticket_id, sha256),
    CONSTRAINT attachments_ticket_fk FOREIGN KEY (ticket_id) REFERENCES tickets (id) ON DELETE CASCADE,
    CONSTRAINT attachments_uploader_fk FOREIGN KEY (uploader_id) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT attachments_size_sign CHECK (size_bytes >= 0),
    CONSTRAINT attachments_sha256_size CHECK (length(sha256) = 64)
);

INSERT INTO attachments_new (id, ticket_id, uploader_id, file_name, size_bytes, sha256, content)
SELECT id, ticket_id, uploader_id, file_name, size_bytes, sha256, content FROM attachments;

-- The copy knows the highest id that is left, the counter the highest ever given.
DELETE FROM sqlite_sequence WHERE name = 'attachments_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'attachments_new', seq FROM sqlite_sequence WHERE name = 'attachments';

DROP TABLE attachments;
ALTER TABLE attachments_new RENAME TO attachments;

CREATE INDEX attachments_uploader_id ON attachments (uploader_id);
