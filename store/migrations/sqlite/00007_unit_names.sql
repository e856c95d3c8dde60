-- +goose Up
CREATE TABLE unit_names (
    jurisdiction TEXT NOT NULL,
    unit TEXT NOT NULL,
    seq INTEGER NOT NULL,
    pos INTEGER NOT NULL,
    alias TEXT NOT NULL,
    PRIMARY KEY (jurisdiction, unit, seq, pos),
    FOREIGN KEY (jurisdiction, unit, seq) REFERENCES units (jurisdiction, code, seq)
) STRICT;
