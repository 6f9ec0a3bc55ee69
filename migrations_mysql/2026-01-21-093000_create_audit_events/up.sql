-- occurred_at is DATETIME(6), ISO 8601 text on SQLite: the one divergence of parity.toml. JSON
-- checks itself: a type on MySQL, LONGTEXT with json_valid() on MariaDB, a CHECK on SQLite.
CREATE TABLE audit_events (
    id BIGINT NOT NULL AUTO_INCREMENT,
    actor_id BIGINT,
    action VARCHAR(60) NOT NULL,
    subject_id BIGINT NOT NULL,
    details JSON NOT NULL,
    occurred_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    KEY audit_events_subject (action, subject_id, occurred_at),
    CONSTRAINT audit_events_actor_fk FOREIGN KEY (actor_id) REFERENCES users (id) ON DELETE SET NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
