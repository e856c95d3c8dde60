-- +goose Up
-- What planning is decided and written by, as it was loaded. The newest of a kind is in force.
CREATE TABLE versions (
    jurisdiction TEXT NOT NULL,
    kind TEXT NOT NULL,
    seq INTEGER NOT NULL,
    on_date TEXT NOT NULL,
    at TEXT NOT NULL,
    hash TEXT NOT NULL,
    loaded_by TEXT NOT NULL,
    why TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (jurisdiction, kind, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
