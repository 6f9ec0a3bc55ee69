-- Both ends of a foreign key on strings must have one collation: the table option, said in every
-- file, keeps a key that works on SQLite from failing here on a server with other defaults.
CREATE TABLE tags (
    name VARCHAR(40) NOT NULL,
    colour CHAR(7) NOT NULL DEFAULT '#808080',
    PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE ticket_tags (
    ticket_id BIGINT NOT NULL,
    tag_name VARCHAR(40) NOT NULL,
    PRIMARY KEY (ticket_id, tag_name),
    CONSTRAINT ticket_tags_ticket_fk FOREIGN KEY (ticket_id) REFERENCES tickets (id) ON DELETE CASCADE,
    CONSTRAINT ticket_tags_tag_fk FOREIGN KEY (tag_name) REFERENCES tags (name)
        ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT INTO tags (name, colour) VALUES
    ('bug', '#c0392b'),
    ('question', '#2980b9'),
    ('won''t do', '#7f8c8d');
