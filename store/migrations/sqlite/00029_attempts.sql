-- +goose Up
-- token is the claim the attempt was made under: an attempt that is recorded twice is found out by it.
CREATE TABLE attempts (
    dated TEXT NOT NULL,
    notice TEXT NOT NULL,
    n INTEGER NOT NULL,
    recipient INTEGER NOT NULL,
    email TEXT NOT NULL,
    is_copy INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reply TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    answered_at TEXT,
    token TEXT NOT NULL,
    phase TEXT NOT NULL,
    code INTEGER NOT NULL,
    enhanced TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    worker TEXT NOT NULL,
    template TEXT NOT NULL,
    calendar TEXT NOT NULL,
    policy TEXT NOT NULL,
    PRIMARY KEY (dated, notice, n),
    FOREIGN KEY (dated, notice) REFERENCES notices (logical_date, id)
) STRICT, WITHOUT ROWID;
