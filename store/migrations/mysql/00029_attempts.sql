-- +goose Up
-- token is the claim the attempt was made under: an attempt that is recorded twice is found out by it.
CREATE TABLE IF NOT EXISTS attempts (
    dated DATE NOT NULL,
    notice VARCHAR(64) NOT NULL,
    n INT NOT NULL,
    recipient INT NOT NULL,
    email MEDIUMTEXT NOT NULL,
    is_copy BOOLEAN NOT NULL,
    outcome VARCHAR(32) NOT NULL,
    reply MEDIUMTEXT NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    answered_at DATETIME(3),
    token VARCHAR(64) NOT NULL,
    phase VARCHAR(32) NOT NULL,
    code INT NOT NULL,
    enhanced VARCHAR(32) NOT NULL,
    bytes BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    worker MEDIUMTEXT NOT NULL,
    template VARCHAR(128) NOT NULL,
    calendar VARCHAR(128) NOT NULL,
    policy VARCHAR(128) NOT NULL,
    PRIMARY KEY (dated, notice, n),
    FOREIGN KEY (dated, notice) REFERENCES notices (logical_date, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
