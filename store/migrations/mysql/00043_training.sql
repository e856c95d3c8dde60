-- +goose Up
CREATE TABLE IF NOT EXISTS training (
    jurisdiction VARCHAR(32) NOT NULL,
    seq BIGINT NOT NULL,
    on_date DATE NOT NULL,
    person VARCHAR(64) NOT NULL,
    ref VARCHAR(128) NOT NULL,
    hours INT NOT NULL,
    course MEDIUMTEXT NOT NULL,
    requirement VARCHAR(32) NOT NULL,
    assessed BOOLEAN NOT NULL,
    passed BOOLEAN NOT NULL,
    removed BOOLEAN NOT NULL,
    PRIMARY KEY (jurisdiction, seq),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
