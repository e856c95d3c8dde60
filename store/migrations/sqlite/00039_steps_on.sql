-- +goose Up
CREATE INDEX steps_on ON steps (jurisdiction, on_date);
