-- +goose Up
CREATE TABLE tasks (
    id TEXT NOT NULL,
    jurisdiction TEXT NOT NULL,
    plan TEXT NOT NULL,
    row_code TEXT NOT NULL,
    next_open TEXT,
    PRIMARY KEY (id),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
CREATE INDEX tasks_open ON tasks (jurisdiction, next_open);
