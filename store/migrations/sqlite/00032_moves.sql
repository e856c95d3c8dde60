-- +goose Up
CREATE TABLE moves (
    notice TEXT NOT NULL,
    n INTEGER NOT NULL,
    moved_at TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    moved_by TEXT NOT NULL,
    PRIMARY KEY (notice, n),
    FOREIGN KEY (notice) REFERENCES notices (id)
) STRICT;
