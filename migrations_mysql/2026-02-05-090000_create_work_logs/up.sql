-- BIGINT for SQLite's INTEGER, which holds 8 bytes whatever it is called. The generated column is
-- STORED on both sides: SQLite can add only VIRTUAL ones later, so it stands in CREATE TABLE.
CREATE TABLE work_logs (
    id BIGINT NOT NULL AUTO_INCREMENT,
    ticket_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    worked_on DATE NOT NULL,
    work_minutes BIGINT NOT NULL,
    travel_minutes BIGINT NOT NULL DEFAULT 0,
    total_minutes BIGINT GENERATED ALWAYS AS (work_minutes + travel_minutes) STORED,
    hourly_rate DECIMAL(8, 2) NOT NULL,
    PRIMARY KEY (id),
    KEY work_logs_user_id_worked_on (user_id, worked_on),
    CONSTRAINT work_logs_ticket_fk FOREIGN KEY (ticket_id) REFERENCES tickets (id) ON DELETE CASCADE,
    CONSTRAINT work_logs_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT work_logs_work_sign CHECK (work_minutes > 0),
    CONSTRAINT work_logs_travel_sign CHECK (travel_minutes >= 0),
    CONSTRAINT work_logs_rate_sign CHECK (hourly_rate >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
