-- +goose Up
-- notices and attempts get other primary keys: they are set aside, made anew and filled again.
CREATE TABLE IF NOT EXISTS notices_17 (
    id VARCHAR(64) NOT NULL,
    jurisdiction VARCHAR(32) NOT NULL,
    logical_date DATE NOT NULL,
    unit VARCHAR(64) NOT NULL,
    role VARCHAR(32) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    matter VARCHAR(128) NOT NULL,
    job VARCHAR(64) NOT NULL,
    state VARCHAR(32) NOT NULL,
    tries INT NOT NULL,
    next_try DATETIME(3),
    token VARCHAR(64) NOT NULL,
    lease DATETIME(3),
    data_at DATETIME(3),
    superseded_by VARCHAR(64) NOT NULL,
    reason MEDIUMTEXT NOT NULL,
    moved_by MEDIUMTEXT NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
