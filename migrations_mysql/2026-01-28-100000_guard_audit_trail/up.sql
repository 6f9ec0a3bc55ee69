-- IF for SQLite's WHEN, SIGNAL for its RAISE. Without DELIMITER, which only the mysql client knows:
-- the server, to which Diesel sends a whole file, and xtask.py read a body up to its own END.
CREATE TRIGGER tickets_audit_status AFTER UPDATE ON tickets
FOR EACH ROW
BEGIN
    IF NEW.status <> OLD.status THEN
        INSERT INTO audit_events (action, subject_id, details, occurred_at)
        VALUES (
            'ticket.status',
            NEW.id,
            JSON_OBJECT('from', OLD.status, 'to', NEW.status),
            UTC_TIMESTAMP(6)
        );
    END IF;
END;

CREATE TRIGGER audit_events_keep BEFORE DELETE ON audit_events
FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit events are never deleted';
