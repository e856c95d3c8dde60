-- +goose Up
ALTER TABLE task_versions ADD COLUMN fields TEXT NOT NULL DEFAULT '';
