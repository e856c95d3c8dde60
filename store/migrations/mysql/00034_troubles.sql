-- +goose Up
CREATE TABLE IF NOT EXISTS troubles (
    address VARCHAR(254) NOT NULL,
    hard BOOLEAN NOT NULL,
    soft INT NOT NULL,
    since DATETIME(3),
    last_at DATETIME(3),
    reply MEDIUMTEXT NOT NULL,
    PRIMARY KEY (address)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
