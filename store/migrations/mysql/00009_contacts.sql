-- +goose Up
CREATE TABLE IF NOT EXISTS contacts (
    jurisdiction VARCHAR(32) NOT NULL,
    unit VARCHAR(64) NOT NULL,
    seq BIGINT NOT NULL,
    pos INT NOT NULL,
    role VARCHAR(32) NOT NULL,
    name MEDIUMTEXT NOT NULL,
    email MEDIUMTEXT NOT NULL,
    phone MEDIUMTEXT NOT NULL,
    PRIMARY KEY (jurisdiction, unit, seq, pos),
    FOREIGN KEY (jurisdiction, unit, seq) REFERENCES units (jurisdiction, code, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
