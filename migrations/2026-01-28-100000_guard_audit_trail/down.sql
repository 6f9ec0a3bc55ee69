-- By name on both sides; on SQLite a trigger also goes when its table goes, rebuilds included.
DROP TRIGGER audit_events_keep;
DROP TRIGGER tickets_audit_status;
