-- Nothing here that one side enforces alone, so --strict finds nothing: whole numbers of 8 bytes,
-- a moment that keeps its fractions on both sides, no key over strings.
CREATE TABLE watchers (
    ticket_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    since DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (ticket_id, user_id),
    CONSTRAINT watchers_ticket_fk FOREIGN KEY (ticket_id) REFERENCES tickets (id) ON DELETE CASCADE,
    CONSTRAINT watchers_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX watchers_user_id ON watchers (user_id);
