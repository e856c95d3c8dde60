-- +goose Up
CREATE TABLE IF NOT EXISTS tasks (
    id VARCHAR(200) NOT NULL,
    jurisdiction VARCHAR(32) NOT NULL,
    plan VARCHAR(64) NOT NULL,
    row_code VARCHAR(64) NOT NULL,
    next_open DATE,
    PRIMARY KEY (id),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code),
    INDEX tasks_open (jurisdiction, next_open)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
