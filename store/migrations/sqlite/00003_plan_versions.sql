-- +goose Up
CREATE TABLE plan_versions (
    jurisdiction TEXT NOT NULL,
    code TEXT NOT NULL,
    seq INTEGER NOT NULL,
    on_date TEXT NOT NULL,
    title TEXT NOT NULL,
    doc_number TEXT NOT NULL,
    issued TEXT,
    valid_to TEXT,
    PRIMARY KEY (jurisdiction, code, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
