-- +goose Up
CREATE TABLE jurisdictions (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    bureau TEXT NOT NULL,
    live_from TEXT,
    seq INTEGER NOT NULL,
    caches TEXT NOT NULL,
    paused TEXT NOT NULL,
    PRIMARY KEY (code)
) STRICT;
