-- +goose Up
-- Ranges that were filled in afterwards, under the hash of what they were to do.
CREATE TABLE IF NOT EXISTS backfills (
    hash VARCHAR(64) NOT NULL,
    job VARCHAR(64) NOT NULL,
    jurisdictions MEDIUMTEXT NOT NULL,
    from_date DATE NOT NULL,
    to_date DATE NOT NULL,
    mode VARCHAR(32) NOT NULL,
    reprocess VARCHAR(32) NOT NULL,
    days LONGTEXT NOT NULL,
    run_by MEDIUMTEXT NOT NULL,
    started DATETIME(3) NOT NULL,
    finished DATETIME(3),
    PRIMARY KEY (hash),
    INDEX backfills_started (started)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
