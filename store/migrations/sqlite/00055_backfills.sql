-- +goose Up
-- Ranges that were filled in afterwards, under the hash of what they were to do.
CREATE TABLE backfills (
    hash TEXT NOT NULL,
    job TEXT NOT NULL,
    jurisdictions TEXT NOT NULL,
    from_date TEXT NOT NULL,
    to_date TEXT NOT NULL,
    mode TEXT NOT NULL,
    reprocess TEXT NOT NULL,
    days TEXT NOT NULL,
    run_by TEXT NOT NULL,
    started TEXT NOT NULL,
    finished TEXT,
    PRIMARY KEY (hash)
) STRICT;
CREATE INDEX backfills_started ON backfills (started);
