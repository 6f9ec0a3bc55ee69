-- A rebuild: ADD COLUMN refuses DEFAULT CURRENT_TIMESTAMP as soon as there are rows. Under foreign
-- keys DROP TABLE tickets would delete its comments too, deferred or not, and inside a transaction
-- they cannot be switched off: hence metadata.toml, and the transaction of its own here.
PRAGMA foreign_keys = OFF;
BEGIN;

CREATE TABLE tickets_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    team_id BIGINT NOT NULL,
    requester_id BIGINT NOT NULL,
    assignee_id BIGINT,
    subject VARCHAR(200) NOT NULL,
    status TEXT NOT NULL DEFAULT 'new',
    priority SMALLINT NOT NULL DEFAULT 3,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    closed_at DATETIME,
    CONSTRAINT tickets_team_fk FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE RESTRICT,
    CONSTRAINT tickets_requester_fk FOREIGN KEY (requester_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT tickets_assignee_fk FOREIGN KEY (assignee_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT tickets_subject_given CHECK (length(subject) > 0),
    CONSTRAINT tickets_subject_size CHECK (length(subject) <= 200),
    CONSTRAINT tickets_status CHECK (status IN ('new', 'open', 'waiting', 'closed')),
    CONSTRAINT tickets_priority CHECK (priority BETWEEN 1 AND 5),
    CONSTRAINT tickets_closed_at CHECK (status <> 'closed' OR closed_at IS NOT NULL)
);

INSERT INTO tickets_new (
    id, team_id, requester_id, assignee_id, subject, status, priority, created_at, updated_at, closed_at
)
SELECT
    id, team_id, requester_id, assignee_id, subject, status, priority, created_at, created_at, closed_at
FROM tickets;

-- The copy knows the highest id that is left, the counter the highest ever given.
DELETE FROM sqlite_sequence WHERE name = 'tickets_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'tickets_new', seq FROM sqlite_sequence WHERE name = 'tickets';

-- In this order: had the old table been renamed, its children would follow it to the new name.
DROP TABLE tickets;
ALTER TABLE tickets_new RENAME TO tickets;

CREATE INDEX tickets_team_id ON tickets (team_id);
CREATE INDEX tickets_requester_id ON tickets (requester_id);
CREATE INDEX tickets_assignee_id ON tickets (assignee_id);

-- Went with the old table; the text is that of 2026-01-28-100000_guard_audit_trail.
CREATE TRIGGER tickets_audit_status AFTER UPDATE ON tickets
FOR EACH ROW WHEN NEW.status <> OLD.status
BEGIN
    INSERT INTO audit_events (action, subject_id, details, occurred_at)
    VALUES (
        'ticket.status',
        NEW.id,
        json_object('from', OLD.status, 'to', NEW.status),
        strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
    );
END;

-- For MySQL's ON UPDATE CURRENT_TIMESTAMP. The guard keeps a value that the statement sets itself,
-- and ends the recursion where recursive_triggers is on. Unlike MySQL, SQLite also dates a ticket
-- whose UPDATE changed nothing.
CREATE TRIGGER tickets_touch AFTER UPDATE ON tickets
FOR EACH ROW WHEN NEW.updated_at = OLD.updated_at AND NEW.updated_at <> CURRENT_TIMESTAMP
BEGIN
    UPDATE tickets SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END;

COMMIT;
PRAGMA foreign_keys = ON;
