-- Fails while an attachment has lost its uploader, on both sides: no down.sql can bring one back.
ALTER TABLE attachments
    DROP FOREIGN KEY attachments_uploader_fk,
    MODIFY uploader_id BIGINT NOT NULL;

ALTER TABLE attachments
    ADD CONSTRAINT attachments_uploader_fk FOREIGN KEY (uploader_id) REFERENCES users (id) ON DELETE RESTRICT;
