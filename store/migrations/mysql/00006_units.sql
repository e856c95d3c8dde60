-- +goose Up
CREATE TABLE IF NOT EXISTS units (
    jurisdiction VARCHAR(32) NOT NULL,
    code VARCHAR(64) NOT NULL,
    seq BIGINT NOT NULL,
    on_date DATE NOT NULL,
    name MEDIUMTEXT NOT NULL,
    full_name MEDIUMTEXT NOT NULL,
    honorific MEDIUMTEXT NOT NULL,
    address MEDIUMTEXT NOT NULL,
    chase VARCHAR(32) NOT NULL,
    removed BOOLEAN NOT NULL,
    PRIMARY KEY (jurisdiction, code, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
