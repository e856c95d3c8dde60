-- +goose Up
CREATE TABLE brakes (
    scope TEXT NOT NULL,
    failures INTEGER NOT NULL,
    since TEXT,
    closed_until TEXT,
    reason TEXT NOT NULL,
    seen_by TEXT NOT NULL,
    PRIMARY KEY (scope)
) STRICT;
