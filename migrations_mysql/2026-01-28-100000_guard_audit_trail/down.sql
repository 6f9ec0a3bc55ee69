-- By name on both sides; the names are unique in the database, not in the table.
DROP TRIGGER audit_events_keep;
DROP TRIGGER tickets_audit_status;
