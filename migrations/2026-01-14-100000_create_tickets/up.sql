-- SQLite ignores the length in VARCHAR(200), so tickets_subject_size enforces here what the type
-- enforces on MySQL. It counts characters with length(), MySQL with CHAR_LENGTH().
CREATE TABLE tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    team_id BIGINT NOT NULL,
    requester_id BIGINT NOT NULL,
    assignee_id BIGINT,
    subject VARCHAR(200) NOT NULL,
    status TEXT NOT NULL DEFAULT 'new',
    priority SMALLINT NOT NULL DEFAULT 3,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
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

CREATE INDEX tickets_team_id ON tickets (team_id);
CREATE INDEX tickets_requester_id ON tickets (requester_id);
CREATE INDEX tickets_assignee_id ON tickets (assignee_id);
