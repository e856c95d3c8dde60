-- +goose Up
CREATE TABLE IF NOT EXISTS plan_versions (
    jurisdiction VARCHAR(32) NOT NULL,
    code VARCHAR(64) NOT NULL,
    seq BIGINT NOT NULL,
    on_date DATE NOT NULL,
    title MEDIUMTEXT NOT NULL,
    doc_number MEDIUMTEXT NOT NULL,
    issued DATE,
    valid_to DATE,
    PRIMARY KEY (jurisdiction, code, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
