-- MODIFY repeats the whole column: what it leaves out (NOT NULL, DEFAULT) would be gone, and SQLite's
-- rebuild would keep it. The new value comes last, so no row is rewritten.
ALTER TABLE memberships
    MODIFY role ENUM('member', 'lead', 'observer') NOT NULL DEFAULT 'member';
