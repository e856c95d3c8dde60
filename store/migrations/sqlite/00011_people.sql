-- +goose Up
CREATE TABLE people (
    jurisdiction TEXT NOT NULL,
    person TEXT NOT NULL,
    seq INTEGER NOT NULL,
    on_date TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    post TEXT NOT NULL,
    certificate TEXT NOT NULL,
    valid_to TEXT,
    cert_state TEXT NOT NULL,
    held_from TEXT,
    held_to TEXT,
    duty TEXT NOT NULL,
    hours INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    PRIMARY KEY (jurisdiction, person, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
