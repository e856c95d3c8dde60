-- +goose Up
-- seq is the jurisdiction's after the plan that decided it, pos the place among the plan's holds.
CREATE TABLE IF NOT EXISTS holds (
    jurisdiction VARCHAR(32) NOT NULL,
    obligation VARCHAR(360) NOT NULL,
    seq BIGINT NOT NULL,
    pos INT NOT NULL,
    arm INT NOT NULL,
    step VARCHAR(32) NOT NULL,
    on_date DATE NOT NULL,
    reason MEDIUMTEXT NOT NULL,
    PRIMARY KEY (obligation, seq, pos),
    FOREIGN KEY (obligation) REFERENCES obligations (ref)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
