-- +goose Up
-- What the archive proves was accepted by a mail server, of letters that a restored database does not know as sent.
CREATE TABLE proofs (
    notice TEXT NOT NULL,
    recipient INTEGER NOT NULL,
    jurisdiction TEXT NOT NULL,
    dated TEXT NOT NULL,
    email TEXT NOT NULL,
    is_copy INTEGER NOT NULL,
    reply TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    accepted_at TEXT,
    entered_at TEXT NOT NULL,
    entered_by TEXT NOT NULL,
    PRIMARY KEY (notice, recipient),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
CREATE INDEX proofs_dated ON proofs (jurisdiction, dated);
