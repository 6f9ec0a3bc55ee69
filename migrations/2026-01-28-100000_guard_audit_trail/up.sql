-- The condition stands in WHEN, the refusal in RAISE: MySQL has neither. ON DELETE SET NULL fires
-- UPDATE triggers on SQLite and none on InnoDB: so deletes are guarded here, not updates, and no
-- foreign key of tickets, which has UPDATE triggers, is SET NULL.
CREATE TRIGGER tickets_audit_status AFTER UPDATE ON tickets
FOR EACH ROW WHEN NEW.status <> OLD.status
BEGIN
    INSERT INTO audit_events (action, subject_id, details, occurred_at)
    VALUES (
        'ticket.status',
        NEW.id,
        json_object('from', OLD.status, 'to', NEW.status),
        strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
    );
END;

CREATE TRIGGER audit_events_keep BEFORE DELETE ON audit_events
FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'audit events are never deleted');
END;
