-- +goose Up
-- MariaDB minds an index that is there.
ALTER TABLE runs ADD INDEX /*M! IF NOT EXISTS */ runs_started (started);
