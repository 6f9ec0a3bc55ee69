-- The copy fails the narrower CHECK while there are observers: they become members, on both sides.
UPDATE memberships SET role = 'member' WHERE role = 'observer';

CREATE TABLE memberships_new (
    team_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    role TEXT NOT NULL DEFAULT 'member',
    joined_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (team_id, user_id),
    CONSTRAINT memberships_team_fk FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE,
    CONSTRAINT memberships_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT memberships_role CHECK (role IN ('member', 'lead'))
) WITHOUT ROWID;

INSERT INTO memberships_new (team_id, user_id, role, joined_at)
SELECT team_id, user_id, role, joined_at FROM memberships;

DROP TABLE memberships;
ALTER TABLE memberships_new RENAME TO memberships;

CREATE INDEX memberships_user_id ON memberships (user_id);
