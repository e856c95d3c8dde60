-- +goose Up
-- The jurisdiction's seq after the plan that fired the step; 0 where it is not known.
ALTER TABLE steps ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
