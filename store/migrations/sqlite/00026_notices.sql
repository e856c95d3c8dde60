-- +goose Up
-- settled is the token of the claim that was settled last: who asks again learns that it was done.
CREATE TABLE notices (
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
    seq INTEGER NOT NULL,
    deadline TEXT,
    resent INTEGER NOT NULL,
    settled TEXT NOT NULL,
    PRIMARY KEY (logical_date, id),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX notices_id ON notices (id);
CREATE UNIQUE INDEX notices_key ON notices (jurisdiction, logical_date, unit, role, kind, matter);
CREATE INDEX notices_state ON notices (state, logical_date, jurisdiction, id, next_try);
CREATE INDEX notices_unit ON notices (jurisdiction, unit, logical_date);
