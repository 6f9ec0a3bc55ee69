-- occurred_at is ISO 8601 text, 2026-01-21T09:30:00.000000Z, and DATETIME(6) on MySQL: the one
-- divergence of parity.toml. JSON is no type here (a column so declared is NUMERIC), so the CHECK is
-- owed. No foreign key to the subject on either side: the trail outlives it.
CREATE TABLE audit_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    actor_id BIGINT,
    action VARCHAR(60) NOT NULL,
    subject_id BIGINT NOT NULL,
    details TEXT NOT NULL,
    occurred_at TEXT NOT NULL,
    CONSTRAINT audit_events_actor_fk FOREIGN KEY (actor_id) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT audit_events_details CHECK (json_valid(details))
);

CREATE INDEX audit_events_actor_id ON audit_events (actor_id);
CREATE INDEX audit_events_subject ON audit_events (action, subject_id, occurred_at);
