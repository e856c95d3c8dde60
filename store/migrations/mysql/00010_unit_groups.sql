-- +goose Up
CREATE TABLE IF NOT EXISTS unit_groups (
    jurisdiction VARCHAR(32) NOT NULL,
    code VARCHAR(64) NOT NULL,
    seq BIGINT NOT NULL,
    on_date DATE NOT NULL,
    name MEDIUMTEXT NOT NULL,
    aliases MEDIUMTEXT NOT NULL,
    removed BOOLEAN NOT NULL,
    PRIMARY KEY (jurisdiction, code, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
