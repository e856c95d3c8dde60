-- +goose Up
CREATE TABLE IF NOT EXISTS events (
    jurisdiction VARCHAR(32) NOT NULL,
    seq BIGINT NOT NULL,
    on_date DATE NOT NULL,
    recorded_at DATETIME(3) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    subject VARCHAR(360) NOT NULL,
    who MEDIUMTEXT NOT NULL,
    why MEDIUMTEXT NOT NULL,
    new_date DATE,
    n INT NOT NULL,
    ref MEDIUMTEXT NOT NULL,
    unit VARCHAR(64) NOT NULL,
    voids BIGINT NOT NULL,
    PRIMARY KEY (jurisdiction, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code),
    INDEX events_subject (jurisdiction, subject, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
