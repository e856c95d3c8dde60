-- +goose Up
CREATE TABLE IF NOT EXISTS steps (
    jurisdiction VARCHAR(32) NOT NULL,
    obligation VARCHAR(360) NOT NULL,
    arm INT NOT NULL,
    step VARCHAR(32) NOT NULL,
    n INT NOT NULL,
    role VARCHAR(32) NOT NULL,
    on_date DATE NOT NULL,
    notice VARCHAR(64) NOT NULL,
    passed MEDIUMTEXT NOT NULL,
    PRIMARY KEY (obligation, arm, step, n, role),
    FOREIGN KEY (obligation) REFERENCES obligations (ref)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
