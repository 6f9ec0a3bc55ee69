-- BIGINT and DATETIME(6) hold what SQLite holds. INT would end at two thousand million, and DATETIME
-- without (6) would cut or round fractions of a second.
CREATE TABLE watchers (
    ticket_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    since DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (ticket_id, user_id),
    CONSTRAINT watchers_ticket_fk FOREIGN KEY (ticket_id) REFERENCES tickets (id) ON DELETE CASCADE,
    CONSTRAINT watchers_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
