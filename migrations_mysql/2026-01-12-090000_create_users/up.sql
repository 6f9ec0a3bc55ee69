-- utf8mb4_bin in every table: the server's default folds letter case and accents, SQLite tells
-- them apart. So one account per address is a CHECK on both sides, not a matter of collation.
-- CURRENT_TIMESTAMP is UTC on SQLite: here the application sets time_zone = '+00:00'.
CREATE TABLE users (
    id BIGINT NOT NULL AUTO_INCREMENT,
    email VARCHAR(254) NOT NULL,
    name VARCHAR(120) NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    CONSTRAINT users_email_unique UNIQUE (email),
    CONSTRAINT users_email_lower CHECK (email = LOWER(email))
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
