-- +goose Up
-- When the clock was to start a run.
ALTER TABLE runs ADD COLUMN due TEXT;
