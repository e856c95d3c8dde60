-- +goose Up
CREATE INDEX notices_kind ON notices (jurisdiction, kind, logical_date);
