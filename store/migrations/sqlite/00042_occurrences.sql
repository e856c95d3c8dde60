-- +goose Up
-- An occurrence is identified by its kind, reference and unit. One that is entered again is a correction: the last row counts.
CREATE TABLE occurrences (
    jurisdiction TEXT NOT NULL,
    seq INTEGER NOT NULL,
    on_date TEXT NOT NULL,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,
    unit TEXT NOT NULL,
    person TEXT NOT NULL,
    party TEXT NOT NULL,
    from_date TEXT,
    to_date TEXT,
    due TEXT,
    exempt TEXT NOT NULL,
    source TEXT NOT NULL,
    who TEXT NOT NULL,
    PRIMARY KEY (jurisdiction, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
CREATE INDEX occurrences_kind ON occurrences (jurisdiction, kind, seq);
