-- +goose Up
CREATE TABLE troubles (
    address TEXT NOT NULL,
    hard INTEGER NOT NULL,
    soft INTEGER NOT NULL,
    since TEXT,
    last_at TEXT,
    reply TEXT NOT NULL,
    PRIMARY KEY (address)
) STRICT;
