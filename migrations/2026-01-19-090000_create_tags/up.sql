-- NOT NULL on the key is not said twice: SQLite takes NULL in a primary key that is no rowid,
-- MySQL never does.
CREATE TABLE tags (
    name VARCHAR(40) NOT NULL PRIMARY KEY,
    colour CHAR(7) NOT NULL DEFAULT '#808080'
);

CREATE TABLE ticket_tags (
    ticket_id BIGINT NOT NULL,
    tag_name VARCHAR(40) NOT NULL,
    PRIMARY KEY (ticket_id, tag_name),
    CONSTRAINT ticket_tags_ticket_fk FOREIGN KEY (ticket_id) REFERENCES tickets (id) ON DELETE CASCADE,
    CONSTRAINT ticket_tags_tag_fk FOREIGN KEY (tag_name) REFERENCES tags (name)
        ON UPDATE CASCADE ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX ticket_tags_tag_name ON ticket_tags (tag_name);

INSERT INTO tags (name, colour) VALUES
    ('bug', '#c0392b'),
    ('question', '#2980b9'),
    ('won''t do', '#7f8c8d');
