-- Strict mode refuses to narrow an ENUM under rows that use the value, as SQLite's CHECK does.
UPDATE memberships SET role = 'member' WHERE role = 'observer';

ALTER TABLE memberships
    MODIFY role ENUM('member', 'lead') NOT NULL DEFAULT 'member';
