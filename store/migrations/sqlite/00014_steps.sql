-- +goose Up
CREATE TABLE steps (
    jurisdiction TEXT NOT NULL,
    obligation TEXT NOT NULL,
    arm INTEGER NOT NULL,
    step TEXT NOT NULL,
    n INTEGER NOT NULL,
    role TEXT NOT NULL,
    on_date TEXT NOT NULL,
    notice TEXT NOT NULL,
    passed TEXT NOT NULL,
    PRIMARY KEY (obligation, arm, step, n, role),
    FOREIGN KEY (obligation) REFERENCES obligations (ref)
) STRICT;
