-- +goose Up
CREATE TABLE notices (
    id TEXT NOT NULL,
    jurisdiction TEXT NOT NULL,
    logical_date TEXT NOT NULL,
    unit TEXT NOT NULL,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    matter TEXT NOT NULL,
    job TEXT NOT NULL,
    facts TEXT NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL,
    next_try TEXT,
    token TEXT NOT NULL,
    lease TEXT,
    data_at TEXT,
    superseded_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    moved_by TEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
CREATE INDEX notices_state ON notices (state, logical_date, jurisdiction, id);
CREATE INDEX notices_date ON notices (jurisdiction, logical_date);
CREATE UNIQUE INDEX notices_key ON notices (jurisdiction, logical_date, unit, role, kind, matter);
