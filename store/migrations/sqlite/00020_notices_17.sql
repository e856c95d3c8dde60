-- +goose Up
-- notices and attempts get other primary keys: they are set aside, made anew and filled again.
CREATE TABLE notices_17 (
    id TEXT NOT NULL,
    jurisdiction TEXT NOT NULL,
    logical_date TEXT NOT NULL,
    unit TEXT NOT NULL,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    matter TEXT NOT NULL,
    job TEXT NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL,
    next_try TEXT,
    token TEXT NOT NULL,
    lease TEXT,
    data_at TEXT,
    superseded_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    moved_by TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT;
