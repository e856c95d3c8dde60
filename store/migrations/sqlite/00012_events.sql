-- +goose Up
CREATE TABLE events (
    jurisdiction TEXT NOT NULL,
    seq INTEGER NOT NULL,
    on_date TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    new_date TEXT,
    n INTEGER NOT NULL,
    ref TEXT NOT NULL,
    unit TEXT NOT NULL,
    voids INTEGER NOT NULL,
    PRIMARY KEY (jurisdiction, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
CREATE INDEX events_subject ON events (jurisdiction, subject, seq);
