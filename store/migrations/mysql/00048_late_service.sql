-- +goose Up
-- The day on which a letter is served that leaves, or is said to have arrived, on a later day than its own.
CREATE TABLE IF NOT EXISTS late_service (
    notice VARCHAR(64) NOT NULL,
    on_date DATE NOT NULL,
    PRIMARY KEY (notice)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
