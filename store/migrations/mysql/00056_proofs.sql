-- +goose Up
-- What the archive proves was accepted by a mail server, of letters that a restored database does not know as sent.
CREATE TABLE IF NOT EXISTS proofs (
    notice VARCHAR(64) NOT NULL,
    recipient INT NOT NULL,
    jurisdiction VARCHAR(32) NOT NULL,
    dated DATE NOT NULL,
    email MEDIUMTEXT NOT NULL,
    is_copy INT NOT NULL,
    reply MEDIUMTEXT NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    accepted_at DATETIME(3),
    entered_at DATETIME(3) NOT NULL,
    entered_by MEDIUMTEXT NOT NULL,
    PRIMARY KEY (notice, recipient),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code),
    INDEX proofs_dated (jurisdiction, dated)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
