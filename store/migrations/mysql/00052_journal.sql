-- +goose Up
-- When each write of a jurisdiction was made: what was known at an instant.
CREATE TABLE IF NOT EXISTS journal (
    jurisdiction VARCHAR(32) NOT NULL,
    seq BIGINT NOT NULL,
    at DATETIME(3) NOT NULL,
    PRIMARY KEY (jurisdiction, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
