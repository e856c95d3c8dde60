-- +goose Up
CREATE TABLE unit_groups (
    jurisdiction TEXT NOT NULL,
    code TEXT NOT NULL,
    seq INTEGER NOT NULL,
    on_date TEXT NOT NULL,
    name TEXT NOT NULL,
    aliases TEXT NOT NULL,
    removed INTEGER NOT NULL,
    PRIMARY KEY (jurisdiction, code, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
