-- WITHOUT ROWID stores memberships by its key, as InnoDB does. The key's columns say NOT NULL
-- themselves: an ordinary SQLite table takes NULL in a primary key.
-- SQLite has no ENUM, and makes no index for a foreign key.
CREATE TABLE teams (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name VARCHAR(80) NOT NULL,
    hourly_rate DECIMAL(8, 2) NOT NULL DEFAULT 0,
    CONSTRAINT teams_name_unique UNIQUE (name),
    CONSTRAINT teams_rate_sign CHECK (hourly_rate >= 0)
);

CREATE TABLE memberships (
    team_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    role TEXT NOT NULL DEFAULT 'member',
    joined_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (team_id, user_id),
    CONSTRAINT memberships_team_fk FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE,
    CONSTRAINT memberships_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT memberships_role CHECK (role IN ('member', 'lead'))
) WITHOUT ROWID;

CREATE INDEX memberships_user_id ON memberships (user_id);

INSERT INTO teams (name, hourly_rate) VALUES ('Front desk', 0);
