-- The index on memberships (user_id) is InnoDB's own: it makes one for every foreign key that
-- no other index begins with. ENUM here is a CHECK on SQLite; under utf8mb4_bin it refuses
-- 'LEAD' as that CHECK does.
CREATE TABLE teams (
    id BIGINT NOT NULL AUTO_INCREMENT,
    name VARCHAR(80) NOT NULL,
    hourly_rate DECIMAL(8, 2) NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT teams_name_unique UNIQUE (name),
    CONSTRAINT teams_rate_sign CHECK (hourly_rate >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE memberships (
    team_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    role ENUM('member', 'lead') NOT NULL DEFAULT 'member',
    joined_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (team_id, user_id),
    CONSTRAINT memberships_team_fk FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE,
    CONSTRAINT memberships_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT INTO teams (name, hourly_rate) VALUES ('Front desk', 0);
