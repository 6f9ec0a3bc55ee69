-- CHAR_LENGTH, not LENGTH, which counts bytes on MySQL and characters on SQLite. The upper bound
-- is VARCHAR(200) itself: strict mode, the default, refuses what is longer.
CREATE TABLE tickets (
    id BIGINT NOT NULL AUTO_INCREMENT,
    team_id BIGINT NOT NULL,
    requester_id BIGINT NOT NULL,
    assignee_id BIGINT,
    subject VARCHAR(200) NOT NULL,
    status ENUM('new', 'open', 'waiting', 'closed') NOT NULL DEFAULT 'new',
    priority SMALLINT NOT NULL DEFAULT 3,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    closed_at DATETIME,
    PRIMARY KEY (id),
    CONSTRAINT tickets_team_fk FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE RESTRICT,
    CONSTRAINT tickets_requester_fk FOREIGN KEY (requester_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT tickets_assignee_fk FOREIGN KEY (assignee_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT tickets_subject_given CHECK (CHAR_LENGTH(subject) > 0),
    CONSTRAINT tickets_priority CHECK (priority BETWEEN 1 AND 5),
    CONSTRAINT tickets_closed_at CHECK (status <> 'closed' OR closed_at IS NOT NULL)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
