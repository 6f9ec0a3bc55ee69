-- Altered in place, in two statements: MySQL changes a foreign key only by dropping it, and the new
-- one, of the same name, cannot come in the statement in which the old one goes.
ALTER TABLE attachments
    DROP FOREIGN KEY attachments_uploader_fk,
    MODIFY uploader_id BIGINT NULL;

ALTER TABLE attachments
    ADD CONSTRAINT attachments_uploader_fk FOREIGN KEY (uploader_id) REFERENCES users (id) ON DELETE SET NULL;
