-- +goose Up
CREATE TABLE contacts (
    jurisdiction TEXT NOT NULL,
    unit TEXT NOT NULL,
    seq INTEGER NOT NULL,
    pos INTEGER NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT NOT NULL,
    PRIMARY KEY (jurisdiction, unit, seq, pos),
    FOREIGN KEY (jurisdiction, unit, seq) REFERENCES units (jurisdiction, code, seq)
) STRICT;
