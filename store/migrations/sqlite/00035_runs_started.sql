-- +goose Up
CREATE INDEX runs_started ON runs (started);
