-- +goose Up
CREATE TABLE units (
    jurisdiction TEXT NOT NULL,
    code TEXT NOT NULL,
    seq INTEGER NOT NULL,
    on_date TEXT NOT NULL,
    name TEXT NOT NULL,
    full_name TEXT NOT NULL,
    honorific TEXT NOT NULL,
    address TEXT NOT NULL,
    chase TEXT NOT NULL,
    removed INTEGER NOT NULL,
    PRIMARY KEY (jurisdiction, code, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
