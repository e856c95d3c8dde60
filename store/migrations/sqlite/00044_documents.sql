-- +goose Up
-- n is NULL where the number is not of the program's own register: no two documents have one number of it, voided ones included.
CREATE TABLE documents (
    id TEXT NOT NULL,
    jurisdiction TEXT NOT NULL,
    kind TEXT NOT NULL,
    matter TEXT NOT NULL,
    title TEXT NOT NULL,
    unit TEXT NOT NULL,
    drafted TEXT NOT NULL,
    refs TEXT NOT NULL,
    state TEXT NOT NULL,
    doc_number TEXT NOT NULL,
    number_year INTEGER NOT NULL,
    n INTEGER,
    issued_on TEXT,
    issued_by TEXT NOT NULL,
    channel TEXT NOT NULL,
    served TEXT,
    why TEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (id) REFERENCES notices (id),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
CREATE UNIQUE INDEX documents_number ON documents (jurisdiction, kind, number_year, n);
CREATE INDEX documents_drafted ON documents (jurisdiction, drafted);
CREATE INDEX documents_state ON documents (jurisdiction, state, drafted);
