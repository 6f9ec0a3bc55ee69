-- TEXT and BLOB have no size here; MySQL's of the same names end at 64 KB, hence its MEDIUMTEXT
-- and LONGBLOB.
CREATE TABLE comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    ticket_id BIGINT NOT NULL,
    author_id BIGINT,
    body TEXT NOT NULL,
    is_internal BOOLEAN NOT NULL DEFAULT FALSE,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT comments_ticket_fk FOREIGN KEY (ticket_id) REFERENCES tickets (id) ON DELETE CASCADE,
    CONSTRAINT comments_author_fk FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE SET NULL
);

CREATE INDEX comments_ticket_id_created_at ON comments (ticket_id, created_at);
CREATE INDEX comments_author_id ON comments (author_id);

CREATE TABLE attachments (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    ticket_id BIGINT NOT NULL,
    uploader_id BIGINT NOT NULL,
    file_name VARCHAR(255) NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 CHAR(64) NOT NULL,
    content BLOB NOT NULL,
    CONSTRAINT attachments_once UNIQUE (ticket_id, sha256),
    CONSTRAINT attachments_ticket_fk FOREIGN KEY (ticket_id) REFERENCES tickets (id) ON DELETE CASCADE,
    CONSTRAINT attachments_uploader_fk FOREIGN KEY (uploader_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT attachments_size_sign CHECK (size_bytes >= 0),
    CONSTRAINT attachments_sha256_size CHECK (length(sha256) = 64)
);

CREATE INDEX attachments_uploader_id ON attachments (uploader_id);
