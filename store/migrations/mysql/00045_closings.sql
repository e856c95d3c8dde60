-- +goose Up
-- issue is NULL where the closing has none. issue_year is the year of the period, in which issues are numbered.
CREATE TABLE IF NOT EXISTS closings (
    jurisdiction VARCHAR(32) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    plan VARCHAR(64) NOT NULL,
    row_code VARCHAR(64) NOT NULL,
    period VARCHAR(128) NOT NULL,
    version INT NOT NULL,
    on_date DATE NOT NULL,
    seq BIGINT NOT NULL,
    issue INT,
    issue_year INT,
    notice VARCHAR(64) NOT NULL,
    frozen LONGTEXT NOT NULL,
    PRIMARY KEY (jurisdiction, kind, plan, row_code, period, version),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code),
    UNIQUE INDEX closings_issue (jurisdiction, kind, plan, row_code, issue_year, issue)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
