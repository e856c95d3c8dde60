-- +goose Up
-- What planning is decided and written by, as it was loaded. The newest of a kind is in force.
CREATE TABLE IF NOT EXISTS versions (
    jurisdiction VARCHAR(32) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    seq BIGINT NOT NULL,
    on_date DATE NOT NULL,
    at DATETIME(3) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    loaded_by MEDIUMTEXT NOT NULL,
    why MEDIUMTEXT NOT NULL,
    body LONGTEXT NOT NULL,
    PRIMARY KEY (jurisdiction, kind, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
