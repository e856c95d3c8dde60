-- +goose Up
CREATE TABLE IF NOT EXISTS runs (
    job VARCHAR(64) NOT NULL,
    jurisdiction VARCHAR(32) NOT NULL,
    logical_date DATE NOT NULL,
    state VARCHAR(32) NOT NULL,
    reason MEDIUMTEXT NOT NULL,
    run_by MEDIUMTEXT NOT NULL,
    started DATETIME(3),
    finished DATETIME(3),
    lease DATETIME(3),
    token VARCHAR(64) NOT NULL,
    counts MEDIUMTEXT NOT NULL,
    PRIMARY KEY (job, jurisdiction, logical_date),
    INDEX runs_date (logical_date)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
