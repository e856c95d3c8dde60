-- +goose Up
CREATE TABLE IF NOT EXISTS people (
    jurisdiction VARCHAR(32) NOT NULL,
    person VARCHAR(64) NOT NULL,
    seq BIGINT NOT NULL,
    on_date DATE NOT NULL,
    name MEDIUMTEXT NOT NULL,
    unit VARCHAR(64) NOT NULL,
    post MEDIUMTEXT NOT NULL,
    certificate MEDIUMTEXT NOT NULL,
    valid_to DATE,
    cert_state MEDIUMTEXT NOT NULL,
    held_from DATE,
    held_to DATE,
    duty MEDIUMTEXT NOT NULL,
    hours INT NOT NULL,
    removed BOOLEAN NOT NULL,
    PRIMARY KEY (jurisdiction, person, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
