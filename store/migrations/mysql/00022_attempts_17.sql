-- +goose Up
CREATE TABLE IF NOT EXISTS attempts_17 (
    dated DATE NOT NULL,
    notice VARCHAR(64) NOT NULL,
    n INT NOT NULL,
    recipient INT NOT NULL,
    email MEDIUMTEXT NOT NULL,
    is_copy BOOLEAN NOT NULL,
    outcome VARCHAR(32) NOT NULL,
    reply MEDIUMTEXT NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    answered_at DATETIME(3),
    PRIMARY KEY (notice, n)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
