-- +goose Up
CREATE TABLE runs (
    job TEXT NOT NULL,
    jurisdiction TEXT NOT NULL,
    logical_date TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    run_by TEXT NOT NULL,
    started TEXT,
    finished TEXT,
    lease TEXT,
    token TEXT NOT NULL,
    counts TEXT NOT NULL,
    PRIMARY KEY (job, jurisdiction, logical_date)
) STRICT;
CREATE INDEX runs_date ON runs (logical_date);
