-- +goose Up
CREATE TABLE IF NOT EXISTS silences (
    jurisdiction VARCHAR(32) NOT NULL,
    seq BIGINT NOT NULL,
    on_date DATE NOT NULL,
    until_date DATE,
    scope VARCHAR(32) NOT NULL,
    subject VARCHAR(360) NOT NULL,
    who MEDIUMTEXT NOT NULL,
    why MEDIUMTEXT NOT NULL,
    lifts BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
