-- The generated total counts minutes, not money: DECIMAL is exact on MySQL and a floating-point
-- number on SQLite, where 0.1 + 0.2 would not be 0.3.
CREATE TABLE work_logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    ticket_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    worked_on DATE NOT NULL,
    work_minutes INTEGER NOT NULL,
    travel_minutes INTEGER NOT NULL DEFAULT 0,
    total_minutes INTEGER GENERATED ALWAYS AS (work_minutes + travel_minutes) STORED,
    hourly_rate DECIMAL(8, 2) NOT NULL,
    CONSTRAINT work_logs_ticket_fk FOREIGN KEY (ticket_id) REFERENCES tickets (id) ON DELETE CASCADE,
    CONSTRAINT work_logs_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT work_logs_work_sign CHECK (work_minutes > 0),
    CONSTRAINT work_logs_travel_sign CHECK (travel_minutes >= 0),
    CONSTRAINT work_logs_rate_sign CHECK (hourly_rate >= 0)
);

CREATE INDEX work_logs_ticket_id ON work_logs (ticket_id);
CREATE INDEX work_logs_user_id_worked_on ON work_logs (user_id, worked_on);
