-- +goose Up
CREATE TABLE attempts_17 (
    dated TEXT NOT NULL,
    notice TEXT NOT NULL,
    n INTEGER NOT NULL,
    recipient INTEGER NOT NULL,
    email TEXT NOT NULL,
    is_copy INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reply TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    answered_at TEXT,
    PRIMARY KEY (notice, n)
) STRICT;
