-- +goose Up
-- n is NULL where the number is not of the program's own register: no two documents have one number of it, voided ones included.
CREATE TABLE IF NOT EXISTS documents (
    id VARCHAR(64) NOT NULL,
    jurisdiction VARCHAR(32) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    matter VARCHAR(128) NOT NULL,
    title MEDIUMTEXT NOT NULL,
    unit VARCHAR(64) NOT NULL,
    drafted DATE NOT NULL,
    refs MEDIUMTEXT NOT NULL,
    state VARCHAR(32) NOT NULL,
    doc_number MEDIUMTEXT NOT NULL,
    number_year INT NOT NULL,
    n INT,
    issued_on DATE,
    issued_by MEDIUMTEXT NOT NULL,
    channel VARCHAR(32) NOT NULL,
    served DATE,
    why MEDIUMTEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (id) REFERENCES notices (id),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code),
    UNIQUE INDEX documents_number (jurisdiction, kind, number_year, n),
    INDEX documents_drafted (jurisdiction, drafted),
    INDEX documents_state (jurisdiction, state, drafted)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
