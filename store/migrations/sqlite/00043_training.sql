-- +goose Up
CREATE TABLE training (
    jurisdiction TEXT NOT NULL,
    seq INTEGER NOT NULL,
    on_date TEXT NOT NULL,
    person TEXT NOT NULL,
    ref TEXT NOT NULL,
    hours INTEGER NOT NULL,
    course TEXT NOT NULL,
    requirement TEXT NOT NULL,
    assessed INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    PRIMARY KEY (jurisdiction, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
