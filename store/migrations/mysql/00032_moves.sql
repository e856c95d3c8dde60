-- +goose Up
CREATE TABLE IF NOT EXISTS moves (
    notice VARCHAR(64) NOT NULL,
    n INT NOT NULL,
    moved_at DATETIME(3) NOT NULL,
    from_state VARCHAR(32) NOT NULL,
    to_state VARCHAR(32) NOT NULL,
    cause VARCHAR(32) NOT NULL,
    reason MEDIUMTEXT NOT NULL,
    moved_by MEDIUMTEXT NOT NULL,
    PRIMARY KEY (notice, n),
    FOREIGN KEY (notice) REFERENCES notices (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
