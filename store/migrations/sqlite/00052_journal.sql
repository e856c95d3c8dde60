-- +goose Up
-- When each write of a jurisdiction was made: what was known at an instant.
CREATE TABLE journal (
    jurisdiction TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (jurisdiction, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
