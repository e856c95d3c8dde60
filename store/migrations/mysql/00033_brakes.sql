-- +goose Up
CREATE TABLE IF NOT EXISTS brakes (
    scope VARCHAR(600) NOT NULL,
    failures INT NOT NULL,
    since DATETIME(3),
    closed_until DATETIME(3),
    reason MEDIUMTEXT NOT NULL,
    seen_by MEDIUMTEXT NOT NULL,
    PRIMARY KEY (scope)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
