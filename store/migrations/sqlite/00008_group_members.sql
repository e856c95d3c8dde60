-- +goose Up
CREATE TABLE group_members (
    jurisdiction TEXT NOT NULL,
    unit TEXT NOT NULL,
    seq INTEGER NOT NULL,
    pos INTEGER NOT NULL,
    group_code TEXT NOT NULL,
    PRIMARY KEY (jurisdiction, unit, seq, pos),
    FOREIGN KEY (jurisdiction, unit, seq) REFERENCES units (jurisdiction, code, seq)
) STRICT;
