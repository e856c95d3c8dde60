-- +goose Up
-- An occurrence is identified by its kind, reference and unit. One that is entered again is a correction: the last row counts.
CREATE TABLE IF NOT EXISTS occurrences (
    jurisdiction VARCHAR(32) NOT NULL,
    seq BIGINT NOT NULL,
    on_date DATE NOT NULL,
    kind VARCHAR(64) NOT NULL,
    ref VARCHAR(128) NOT NULL,
    unit VARCHAR(64) NOT NULL,
    person VARCHAR(64) NOT NULL,
    party MEDIUMTEXT NOT NULL,
    from_date DATE,
    to_date DATE,
    due DATE,
    exempt MEDIUMTEXT NOT NULL,
    source MEDIUMTEXT NOT NULL,
    who MEDIUMTEXT NOT NULL,
    PRIMARY KEY (jurisdiction, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code),
    INDEX occurrences_kind (jurisdiction, kind, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
