-- +goose Up
-- seq is the jurisdiction's after the plan that decided it, pos the place among the plan's holds.
CREATE TABLE holds (
    jurisdiction TEXT NOT NULL,
    obligation TEXT NOT NULL,
    seq INTEGER NOT NULL,
    pos INTEGER NOT NULL,
    arm INTEGER NOT NULL,
    step TEXT NOT NULL,
    on_date TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (obligation, seq, pos),
    FOREIGN KEY (obligation) REFERENCES obligations (ref)
) STRICT;
